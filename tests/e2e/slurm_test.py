"""`gorila launch --engine slurm`, and a sweep's, on a real Slurm, which the test starts on this machine."""

import json
import os
import re
import signal
import time
import unittest

import cluster
import program
import slurm_cluster

RUN = "run"
ENDED = ["COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY"]


@unittest.skipIf(
    slurm_cluster.missing_program(), f"Slurm is not installed: no {slurm_cluster.missing_program()}"
)
class Jobs(cluster.Case):
    name = RUN

    def setUp(self):
        super().setUp()
        self.slurm = slurm_cluster.Cluster(nodes=3)
        self.addCleanup(self.slurm.stop)
        self.slurm.start()

    def submit(self, *arguments):
        """The job's number."""
        stdout, _ = self.run_program(
            "launch", "--engine", "slurm", *arguments, environment=self.slurm.environment
        )
        return re.search(r"submitted job (\d+)", stdout).group(1)

    def submit_run(self, frames, *more):
        return self.submit(
            *cluster.TINY, "--shards", "2", "--frames", frames, "--run-dir", self.name,
            "--set", "cluster.memory_mb=200", "--set", "run.metrics_every_seconds=0.2", *more,
        )  # fmt: skip

    def log(self, name):
        path = self.folder / self.name / "logs" / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def wait_until_true(self, condition, job):
        deadline = time.monotonic() + program.DEADLINE
        while not condition():
            state = self.slurm.job(job)["JobState"]
            self.assertNotIn(state, ENDED, self.everything_said())
            self.assertLess(time.monotonic(), deadline, self.everything_said())
            time.sleep(0.02)

    def everything_said(self):
        logs = self.folder / self.name / "logs"
        said = [f"{path.name}: {path.read_text()}" for path in sorted(logs.glob("*.log"))]
        return "\n".join([*said, self.slurm.command("scontrol", "show", "jobs"), self.slurm.logs()])

    def wait_for_snapshot(self, job):
        """One that has updates in it."""
        folder = self.folder / self.name / "servers" / "parameter-server-0" / "snapshots"

        def version():
            for path in folder.glob("0*/manifest.json"):
                try:
                    yield json.loads((path.parent / "shard.json").read_text())["version"]
                except OSError:  # it has just been replaced by a newer one
                    continue

        self.wait_until_true(lambda: max(version(), default=0) > 0, job)

    def process_of(self, verb):
        """The number of a process of this test's run with that verb."""
        mark = str(self.folder).encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if words[0] == program.PROGRAM.encode() and words[1] == verb.encode():
                if mark in b"".join(words):
                    return int(pid)
        raise AssertionError(f"no process of {verb}\n{self.everything_said()}")

    def assert_completed(self, job, frames):
        self.slurm.wait_for_job(job, *ENDED)
        self.assertEqual(self.slurm.job(job)["JobState"], "COMPLETED", self.everything_said())
        for name in ["evaluation.json", "report.md", "curve.png", "final.safetensors"]:
            self.assertGreater((self.folder / self.name / name).stat().st_size, 0, name)
        evaluation = json.loads((self.folder / self.name / "evaluation.json").read_text())
        self.assertGreaterEqual(evaluation["frames"], frames, evaluation)

    def test_processes_that_are_killed_are_started_again_and_the_job_completes(self):
        roles = ["--bundles", "1", "--actors", "1", "--learners", "1", "--replays", "1"]
        job = self.submit_run(60000, *roles)
        self.wait_for_snapshot(job)
        killed = ["parameter-server", "replay", "bundle", "actor", "learner"]
        for verb in killed:
            os.kill(self.process_of(verb), signal.SIGKILL)
        self.assert_completed(job, 60000)
        said = self.log("slurm")
        for verb in killed:
            self.assertRegex(said, verb + r"-\d ended with exit status 137; starting it again")
        shards = self.log("parameter-server-0") + self.log("parameter-server-1")
        self.assertRegex(shards, r"generation [2-9]")  # not 2 where one could not begin to serve

    def test_members_of_divided_networks_are_placed_and_started_again(self):
        wide = ["--set", "network.hidden=[64]", "--set", "learner.members=3"]
        roles = ["--bundles", "1", "--actors", "1", "--learners", "1", "--replays", "1"]
        job = self.submit_run(12000, *roles, *wide)
        self.wait_for_snapshot(job)
        for verb in ["member", "bundle"]:
            os.kill(self.process_of(verb), signal.SIGKILL)
        self.assert_completed(job, 12000)
        logs = {path.stem for path in (self.folder / self.name / "logs").iterdir()}
        self.assertLessEqual({f"member-{i}" for i in range(4)}, logs, "two for each of two leaders")
        said = self.log("slurm")
        for name in [r"member-\d", "bundle-0"]:
            self.assertRegex(said, name + " ended with exit status 137; starting it again")

    def test_a_run_whose_name_means_something_to_shells_and_to_slurm(self):
        self.name = "my runs/100% %j \"a\" it's $HOME `id` #läufe"
        job = self.submit_run(12000)
        self.assert_completed(job, 12000)
        logs = {path.stem for path in (self.folder / self.name / "logs").iterdir()}
        self.assertLessEqual({"slurm", "coordinator", "bundle-0", "parameter-server-1"}, logs)
        # As many as there were starts: a start that failed is reported, and the next one has the next number.
        starts = 1 + self.log("slurm").count("parameter-server-1 ended with")
        generations = re.findall(r"generation (\d+)", self.log("parameter-server-1"))
        self.assertTrue(generations, self.everything_said())
        self.assertLessEqual(int(generations[-1]), starts, self.everything_said())
        # What another name would have made.
        self.assertEqual([path.name for path in (self.folder / "my runs").iterdir()],
                         [self.name.partition("/")[2]])  # fmt: skip

    def test_a_requeued_job_goes_on_from_the_snapshots(self):
        job = self.submit_run(60000)
        self.wait_for_snapshot(job)
        self.slurm.command("scontrol", "requeue", job)
        self.wait_until_requeued(job)
        self.assert_completed(job, 60000)
        self.assertEqual(self.slurm.job(job)["Restarts"], "1")
        self.assert_went_on()

    def test_the_run_of_a_node_that_dies_goes_on_elsewhere(self):
        job = self.submit_run(100000)
        self.wait_for_snapshot(job)
        node = self.slurm.job(job)["BatchHost"]
        self.slurm.crash_node(node)
        self.wait_until_requeued(job)
        self.assertNotEqual(self.slurm.job(job).get("BatchHost"), node)
        self.assert_completed(job, 100000)
        self.assert_went_on()

    def test_a_job_that_is_told_to_end_leaves_snapshots_to_go_on_from(self):
        job = self.submit_run(60000)
        self.wait_for_snapshot(job)
        self.slurm.command("scancel", "--batch", "--signal=TERM", job)
        self.slurm.wait_for_job(job, *ENDED)
        self.assertEqual(self.slurm.job(job)["ExitCode"], "130:0", self.everything_said())
        again = self.submit("--resume", RUN)
        self.assert_completed(again, 60000)
        self.assert_went_on()

    def wait_until_requeued(self, job):
        """Slurm lets a requeued job wait two minutes; nothing here needs that."""

        def runs_again():
            self.slurm.command("scontrol", "update", f"JobId={job}", "StartTime=now", check=False)
            fields = self.slurm.job(job)
            return fields["Restarts"] == "1" and fields["JobState"] == "RUNNING"

        self.wait_until_true(runs_again, job)

    def assert_went_on(self):
        """The shards served twice, and the second time not from nothing. One that could not begin to serve (another
        program took its port) was started again before: then the first generation is not 1."""
        versions = re.findall(r"generation (\d+), version (\d+)", self.log("parameter-server-0"))
        first = int(versions[0][0])
        self.assertEqual([int(generation) for generation, _ in versions], [first, first + 1])
        self.assertGreater(int(versions[1][1]), 0)


@unittest.skipIf(
    slurm_cluster.missing_program(), f"Slurm is not installed: no {slurm_cluster.missing_program()}"
)
class Sweeps(program.Case):
    SWEEP = [
        "sweep", "classic/catch", "--set", "learner.n_step=1,3", "--folder", "my sweep",
        *program.TINY[2:], "--deterministic", "--frames", "60000", "--set", "checkpoint.every_frames=1000",
        "--set", "cluster.memory_mb=200",
    ]  # fmt: skip

    def setUp(self):
        super().setUp()
        self.slurm = slurm_cluster.Cluster(nodes=2)
        self.addCleanup(self.slurm.stop)
        self.slurm.start()
        self.runs = [self.folder / "my sweep" / "classic-catch" / f"n_step-{n}" / "seed1" for n in (1, 3)]

    def submit(self, *more):
        """The job's number."""
        stdout, _ = self.run_program(
            *self.SWEEP, "--engine", "slurm", *more, environment=self.slurm.environment
        )
        return re.search(r"submitted job (\d+): an array of 2 tasks", stdout).group(1)

    def everything_said(self):
        said = [path.read_text() for path in (self.folder / "my sweep").rglob("*.log")]
        return "\n".join([*said, self.slurm.command("scontrol", "show", "jobs"), self.slurm.logs()])

    def wait_for_checkpoints(self):
        deadline = time.monotonic() + program.DEADLINE
        while not all(program.newest_checkpoint(run) > 0 for run in self.runs):
            self.assertLess(time.monotonic(), deadline, self.everything_said())
            time.sleep(0.02)

    def test_cancelled_tasks_end_with_a_checkpoint_and_are_submitted_again(self):
        job = self.submit()
        self.wait_for_checkpoints()
        self.slurm.command("scancel", "--batch", "--signal=TERM", job)
        self.slurm.wait_for_job(job, *ENDED)
        for run in self.runs:
            self.assertIn("stopped at", (run.parent / "seed1.log").read_text(), self.everything_said())
            self.assertFalse((run / "evaluation.json").exists())
        again = self.submit("--jobs", "1")
        self.slurm.wait_for_job(again, *ENDED)
        for run in self.runs:
            self.assertTrue((run / "evaluation.json").exists(), self.everything_said())
        # As if nobody had stopped it.
        self.run_program(
            "train", "--env", "classic/catch", *self.SWEEP[6:], "--set", "learner.n_step=3", "--run-dir", "alone"
        )
        self.assertEqual(
            (self.folder / "alone" / "final.safetensors").read_bytes(),
            (self.runs[1] / "final.safetensors").read_bytes(),
        )
        stdout, _ = self.run_program(*self.SWEEP)
        self.assertIn("2 runs in 'my sweep', of which 2 are done", stdout)
        self.assertIn("report: my sweep/report.html", stdout)

    def test_a_requeued_task_resumes_its_run(self):
        job = self.submit()
        self.wait_for_checkpoints()
        self.slurm.command("scontrol", "requeue", f"{job}_0")
        self.slurm.wait_for_job(job, "COMPLETED", "FAILED")
        log = (self.runs[0].parent / "seed1.log").read_text()
        self.assertTrue((self.runs[0] / "evaluation.json").exists(), self.everything_said())
        self.assertIn("stopped at", log)


if __name__ == "__main__":
    program.main()
