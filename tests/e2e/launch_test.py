"""Whole distributed runs with one command."""

import csv
import json
import math
import os
import re
import shlex
import signal

import cluster
import program


class Case(cluster.Case):
    def launch(self, run, frames, *more):
        return self.start(
            "launch", *cluster.TINY, "--shards", "2", "--frames", frames, "--run-dir", run,
            "--set", "run.metrics_every_seconds=0.2", *more,
        )  # fmt: skip

    def frames_logged(self, run):
        rows = (self.folder / run / "metrics.jsonl").read_text().splitlines()
        return [row["frames"] for row in map(json.loads, rows) if row["kind"] == "training"]

    def assert_finished(self, run, frames, stdout, protocol="greedy"):
        self.assertIn(f"protocol {protocol}, 20 episodes", stdout)
        folder = self.folder / run
        for name in ["config.toml", "final.safetensors", "evaluation.json", "report.md", "curve.png"]:
            self.assertGreater((folder / name).stat().st_size, 0, name)
        logged = self.frames_logged(run)
        self.assertEqual(logged, sorted(set(logged)))
        self.assertGreaterEqual(logged[-1], frames)

    def wait_for_log(self, run, process, frames=1):
        log = self.folder / run / "metrics.jsonl"
        self.wait_until(
            lambda: log.exists() and any(f >= frames for f in self.frames_logged(run)), process
        )


class Launched(Case):
    def test_finishes_with_the_files_of_a_run_in_one_process(self):
        process = self.launch("run", 6000, "--set", "evaluation.every_frames=2000",
                              "--set", "evaluation.periodic_episodes=5")
        status, stdout, stderr = self.finish(process)
        self.assertEqual(status, 0, stdout + stderr)
        self.assert_finished("run", 6000, stdout)
        rows = (self.folder / "run" / "metrics.jsonl").read_text().splitlines()
        kinds = {json.loads(row)["kind"] for row in rows}
        kinds.discard("skipped_evaluation")  # a machine that is too slow for so many
        self.assertEqual(kinds, {"training", "evaluation", "final_evaluation"})
        self.assertEqual(os.stat(self.folder / "run" / "token").st_mode & 0o777, 0o600)
        self.assert_refused(["launch", *cluster.TINY, "--run-dir", "run"], "not empty")

    def test_interrupted_and_resumed(self):
        process = self.launch("run", 12000)
        self.wait_for_log("run", process, 1000)
        stdout, _ = self.run_program("status", "run", "--interval", "0.05")
        self.assertIn("bundle 1", stdout)
        process.send_signal(signal.SIGINT)
        status, _, stderr = self.finish(process)
        self.assertEqual(status, 130, stderr)
        self.assertIn("gorila launch --resume run", stderr)
        stopped_at = int(re.search(r"stopped at (\d+) frames", stderr).group(1))
        stdout, _ = self.run_program("launch", "run")
        self.assert_finished("run", 12000, stdout)
        self.assertGreaterEqual(min(f for f in self.frames_logged("run") if f > stopped_at), stopped_at)
        rows = (self.folder / "run" / "metrics.jsonl").read_text().splitlines()
        cpu = [row["cpu_seconds"] for row in map(json.loads, rows) if row["kind"] == "training"]
        self.assertEqual(cpu, sorted(cpu), "processor time goes on from before")
        starts = (self.folder / "run" / "starts.jsonl").read_text().splitlines()
        first, second = map(json.loads, starts)
        self.assertIn("gorila launch --env", first["command"])
        self.assertEqual((first["frames"], second["command"]), (0, "gorila launch run"))
        self.assertGreaterEqual(second["frames"], 1000)
        self.assertEqual(second["changes"], {})

    def test_children_that_are_killed_are_started_again(self):
        process = self.launch("run", 15000)
        self.wait_for_log("run", process, 1000)
        snapshots = self.folder / "run" / "servers" / "parameter-server-0" / "snapshots"
        self.wait_until(lambda: any(snapshots.glob("0*/manifest.json")), process)
        for verb in ["bundle", "parameter-server"]:
            os.kill(cluster.children_of(process.pid, verb)[0], signal.SIGKILL)
        status, stdout, stderr = self.finish(process)
        self.assertEqual(status, 0, stdout + stderr)
        self.assertIn("was killed by signal 9; starting it again", stderr)
        self.assert_finished("run", 15000, stdout)

    def test_a_killed_launcher_takes_its_children_along(self):
        process = self.launch("run", 10**9)
        self.wait_for_log("run", process, 1000)
        children = [
            pid
            for verb in ["bundle", "parameter-server"]
            for pid in cluster.children_of(process.pid, verb)
        ]
        self.assertEqual(len(children), 4)
        process.kill()
        self.finish(process)
        deadline = program.DEADLINE * 100
        while any(os.path.exists(f"/proc/{pid}/exe") for pid in children) and deadline:
            deadline -= 1
            signal.sigtimedwait([], 0.01)
        for pid in children:
            self.assertFalse(os.path.exists(f"/proc/{pid}/exe"), pid)
        for log in self.logs_of_shards("run"):
            self.assertIn("stopped at version", log, "it ended without a snapshot")

    def test_a_run_whose_launcher_was_killed_continues_from_its_last_snapshots(self):
        process = self.launch("run", 10**9, "--set", "checkpoint.every_seconds=1000")
        self.wait_for_log("run", process, 1000)
        process.kill()
        self.finish(process)
        # At once, while the shards are still writing.
        process = self.start("launch", "--resume", "run")
        self.wait_for_log("run", process, self.frames_logged("run")[-1] + 1000)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(process)[0], 130)
        for log in self.logs_of_shards("run"):
            stopped = re.search(r"stopped at version (\d+)", log).group(1)
            self.assertIn(f"generation 2, version {stopped}\n", log)

    def test_an_evaluation_in_flight_is_made_after_a_kill(self):
        process = self.launch("run", 10**9, "--set", "evaluation.every_frames=5000",
                              "--set", "evaluation.periodic_episodes=100000")
        folder = self.folder / "run"
        self.wait_until(lambda: any(folder.glob("pending-*.safetensors")), process)
        process.kill()
        self.finish(process)
        pending = [int(path.stem.split("-")[1]) for path in folder.glob("pending-*.safetensors")]
        self.assertTrue(pending or self.evaluations("run"))
        process = self.start("launch", "--resume", "run")
        self.wait_until(lambda: set(pending) <= set(self.evaluations("run")), process)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(process)[0], 130)
        self.assertEqual(len(self.evaluations("run")), len(set(self.evaluations("run"))))

    def evaluations(self, run):
        """Frames of the networks that were evaluated while training."""
        rows = (self.folder / run / "metrics.jsonl").read_text().splitlines()
        return [row["frames"] for row in map(json.loads, rows) if row["kind"] == "evaluation"]

    def logs_of_shards(self, run):
        return [path.read_text() for path in (self.folder / run / "logs").glob("parameter-server-*")]


class Disturbed(Case):
    FRAMES = 24000
    KILLED = [(3000, "bundle"), (6000, "parameter-server"), (9000, "bundle"), (12000, "parameter-server")]

    def launch_to_learn(self, run):
        return self.launch(run, self.FRAMES, "--set", "evaluation.episodes=100")

    def evaluation_of(self, process, run):
        """(evaluation, stderr) of the run when it has ended."""
        status, stdout, stderr = self.finish(process)
        self.assertEqual(status, 0, stdout + stderr)
        return json.loads((self.folder / run / "evaluation.json").read_text()), stderr

    def all_at(self, run, process):
        """What status says as soon as every shard answers."""
        seen = None

        def answered():
            nonlocal seen
            status, stdout, _ = self.finish(self.start("status", run, "--interval", "0.05"))
            seen = cluster.parse_status(stdout) if status == 0 else None
            return seen

        self.wait_until(answered, process)
        return seen

    def test_a_run_that_is_disturbed_again_and_again_scores_like_one_that_is_not(self):
        calm, _ = self.evaluation_of(self.launch_to_learn("calm"), "calm")
        process = self.launch_to_learn("disturbed")
        for frames, verb in self.KILLED:
            self.wait_for_log("disturbed", process, frames)
            self.assert_adds_up(self.all_at("disturbed", process))
            # The one that has lived for longest, so that both shards have their turn.
            os.kill(cluster.children_of(process.pid, verb)[0], signal.SIGKILL)
        seen = self.all_at("disturbed", process)
        self.assert_adds_up(seen)
        self.assertEqual([shard["generation"] for shard in seen["shards"].values()], [2, 2])
        disturbed, stderr = self.evaluation_of(process, "disturbed")
        self.assertEqual(stderr.count("was killed by signal 9; starting it again"), len(self.KILLED))
        scores = [f"{e['mean']} +- {e['standard_error']}" for e in (calm, disturbed)]
        self.show("undisturbed {}, disturbed {}".format(*scores))
        # Episodes' noise, and a twentieth for that of training, which no standard error shows.
        noise = 2 * math.hypot(calm["standard_error"], disturbed["standard_error"]) + 0.05
        self.assertAlmostEqual(disturbed["mean"], calm["mean"], delta=noise)
        self.assertGreater(disturbed["mean"], 0.8)


class GlobalReplay(Case):
    """Actors, replay shards and learners beside a bundle."""

    ROLES = ["--bundles", "1", "--actors", "2", "--learners", "1", "--replays", "2"]

    def launch(self, run, frames, *more):
        return super().launch(run, frames, *self.ROLES, *more)

    def test_every_role_that_is_killed_is_started_again(self):
        process = self.launch("run", 60000)
        self.wait_for_log("run", process, 2000)
        snapshots = self.folder / "run" / "servers" / "replay-0" / "snapshots"
        self.wait_until(lambda: any(snapshots.glob("0*/manifest.json")), process)
        for verb in ["actor", "learner", "replay"]:
            os.kill(cluster.children_of(process.pid, verb)[0], signal.SIGKILL)
        status, stdout, stderr = self.finish(process)
        self.assertEqual(status, 0, stdout + stderr)
        for name in ["actor", "learner", "replay"]:
            self.assertRegex(stderr, name + r"-\d was killed by signal 9; starting it again")
        self.assert_finished("run", 60000, stdout)

    def test_unrolls_outlast_a_killed_actor_and_a_killed_replay_shard(self):
        process = self.launch("run", 40000, "--bundles", "0", *program.VTRACE)
        self.wait_for_log("run", process, 2000)
        snapshots = self.folder / "run" / "servers" / "replay-1" / "snapshots"
        self.wait_until(lambda: any(snapshots.glob("0*/manifest.json")), process)
        for verb in ["actor", "replay"]:
            os.kill(cluster.children_of(process.pid, verb)[1], signal.SIGKILL)
        status, stdout, stderr = self.finish(process)
        self.assertEqual(status, 0, stdout + stderr)
        for name in ["actor", "replay"]:
            self.assertRegex(stderr, name + r"-\d was killed by signal 9; starting it again")
        self.assert_finished("run", 40000, stdout, "greedy with sampled actions")
        rows = (self.folder / "run" / "metrics.jsonl").read_text().splitlines()
        last = [row for row in map(json.loads, rows) if row["kind"] == "training"][-1]
        # 80 time steps a minibatch; the killed ones lose a few, and a shard draws again what it drew after its snapshot.
        self.assertGreater(last["updates"], last["frames"] / 80 * 0.8, last)
        self.assertLess(last["updates"], last["frames"] / 80 * 1.6, last)


class Ratio(Case):
    def test_a_slow_learner_makes_the_updates_that_frames_pay_for(self):
        process = self.launch(
            "run", 12000, "--bundles", "0", "--actors", "2", "--learners", "1", "--replays", "2",
            "--set", "learner.batch_size=256",
        )  # fmt: skip
        status, stdout, stderr = self.finish(process)
        self.assertEqual(status, 0, stdout + stderr)
        self.assert_finished("run", 12000, stdout)
        rows = (self.folder / "run" / "metrics.jsonl").read_text().splitlines()
        last = [row for row in map(json.loads, rows) if row["kind"] == "training"][-1]
        # replay.updates_per_step 0.25 of the frames after each shard's first 500 (min_size).
        owed = (last["frames"] - 2 * 500) / 4
        made = last["updates"] + last["gradients_outlier"]
        self.assertGreaterEqual(made, owed - 8, last)
        self.assertLessEqual(made, owed + 8, last)
        self.assertNotIn("without", stderr)


class SeveralGames(Case):
    """The coordinator counts the frames of each game, whoever plays it."""

    NAMES = ["minatar/breakout", "minatar/asterix"]

    def launch(self, run, frames, *more):
        return super().launch(run, frames, "--env", ",".join(self.NAMES), *more)

    def assert_equal_frames(self, run, frames, lost=0):
        rows = (self.folder / run / "metrics.jsonl").read_text().splitlines()
        rows = [row for row in map(json.loads, rows) if row["kind"] == "training"]
        for row in rows:
            played = [row["games"][name]["frames"] for name in self.NAMES]
            self.assertEqual(played[0], played[1], row)
        last = rows[-1]
        self.assertGreaterEqual(last["frames"], frames)
        self.assertAlmostEqual(sum(played), last["frames"], delta=lost)
        for name in self.NAMES:
            self.assertGreater(last["games"][name]["episodes"], 0)
        self.assertGreater(last["updates"], 100)

    def test_of_bundles(self):
        status, stdout, stderr = self.finish(self.launch("run", 6000))
        self.assertEqual(status, 0, stdout + stderr)
        self.assert_equal_frames("run", 6000)

    def test_of_actors_of_which_one_is_killed_and_prioritized_shards(self):
        process = self.launch(
            "run", 12000, "--bundles", "0", "--actors", "2", "--learners", "1", "--replays", "2",
            "--set", "replay.selector=prioritized", "--set", "replay.initial_priorities=true",
        )  # fmt: skip
        self.wait_for_log("run", process, 2000)
        os.kill(cluster.children_of(process.pid, "actor")[1], signal.SIGKILL)
        status, stdout, stderr = self.finish(process)
        self.assertEqual(status, 0, stdout + stderr)
        self.assertRegex(stderr, r"actor-1 was killed by signal 9; starting it again")
        # A report may have a step more of the one than of the other.
        self.assert_equal_frames("run", 12000, lost=20)


class Refused(cluster.Case):
    def test_bad_input(self):
        tiny = ["launch", *cluster.TINY, "--run-dir", "run"]
        self.assert_refused([*tiny, "--set", "run.deterministic=true"], "run.deterministic")
        self.assert_refused([*tiny, "--engine", "slum"], "'slum'", "did you mean 'slurm'")
        self.assert_refused([*tiny, "--frames", "900"], "run.frames is 900", "replay.min_size")
        self.assert_refused([*tiny, "--actors", "2"], "cluster.actors", "2, 0 and 0")
        self.assert_refused([*tiny, "--bundles", "0"], "run.bundles is 0")
        kubernetes = ["launch", *cluster.TINY, "--engine", "kubernetes", "--run-dir"]
        self.assert_refused([*kubernetes, "My_Run"], "'My_Run'", "a-z")
        self.assert_refused([*kubernetes, "run", "--seconds", "5"], "run.seconds")
        self.assertFalse((self.folder / "run").exists())
        self.assert_refused(["launch", "--resume", "none"], "none")
        self.assert_refused(["launch", "--resume", "none", "--run-dir", "x"], "--resume")
        (self.folder / "cluster.toml").write_text("[run]\nbundle = 3\n")
        self.assert_refused(["launch", "cluster.toml"], "cluster.toml:2", "run.bundle", "bundles")
        self.run_program("train", *program.TINY, "--frames", "1200", "--run-dir", "local", "--quiet")
        self.assert_refused(["launch", "--resume", "local"], "gorila resume local")
        self.assert_refused(["launch", "local"], "gorila resume local")
        self.assert_refused(["launch", "./local/", "--resume", "local"], "gorila resume local")
        self.assert_refused(["launch", "local", "--resume", "none"], "'local'", "--resume 'none'")

    def test_print_starts_nothing(self):
        stdout, _ = self.run_program(
            "launch", *cluster.TINY, "--shards", "2", "--run-dir", "run", "--print"
        )
        lines = stdout.splitlines()
        self.assertEqual(len(lines), 4)
        self.assertIn("parameter-server --config", lines[0])
        self.assertIn("bundle --config", lines[3])
        for engine, fragment in [("slurm", "#SBATCH hetjob"), ("kubernetes", "kind: \"StatefulSet\"")]:
            stdout, _ = self.run_program(
                "launch", *cluster.TINY, "--engine", engine, "--run-dir", "run/", "--print"
            )
            self.assertIn(fragment, stdout)
        self.assertFalse((self.folder / "run").exists())


class Submitted(cluster.Case):
    """Engines in whose place stands a program that writes down how it was called."""

    def setUp(self):
        super().setUp()
        self.called = self.folder / "called"
        (self.folder / "bin").mkdir()
        self.environment = {"PATH": f"{self.folder}/bin:{os.environ['PATH']}"}

    def stand_in(self, name, script):
        path = self.folder / "bin" / name
        path.write_text(f'#!/bin/sh\necho "$@" > {self.called}\n{script}\n')
        path.chmod(0o755)

    def submit(self, engine, expect=0, run="run"):
        return self.run_program(
            "launch", *cluster.TINY, "--engine", engine, "--run-dir", run,
            environment=self.environment, expect=expect,
        )  # fmt: skip

    def test_slurm_is_given_the_script(self):
        self.stand_in("sbatch", "echo '77;cluster'")
        stdout, _ = self.submit("slurm")
        self.assertIn("submitted job 77\n", stdout)
        script = self.folder / "run" / "job.sh"
        self.assertEqual(self.called.read_text(), f"--parsable {script}\n")
        self.assertIn("#SBATCH", script.read_text())
        key = self.folder / "run" / "certs" / "parameter-server.key"
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        # Again, with the same token and certificates.
        before = key.read_text()
        stdout, _ = self.run_program(
            "launch", "--engine", "slurm", "--resume", "run", environment=self.environment
        )
        self.assertIn("submitted job 77\n", stdout)
        self.assertEqual(key.read_text(), before)

    def test_kubernetes_is_given_manifests_and_secrets(self):
        self.stand_in("kubectl", "echo created")
        stdout, _ = self.submit("kubernetes")
        self.assertIn("created\n", stdout)
        self.assertIn("job/run-coordinator", stdout)
        run = self.folder / "run"
        self.assertEqual(
            self.called.read_text(),
            f'apply --filename "{run}/secrets.yaml" --filename "{run}/manifests.yaml"\n',
        )
        self.assertEqual((run / "secrets.yaml").stat().st_mode & 0o777, 0o600)
        self.assertIn("kind: \"Secret\"", (run / "secrets.yaml").read_text())

    def test_folders_of_any_name_are_named_so_that_a_shell_reads_them_back(self):
        self.stand_in("sbatch", f"printf '%s\\n' \"$@\" > {self.called}; echo careful >&2; echo 78")
        name = "my, runs/100% %j \"a\" it's $HOME `id` läufe/-dash"
        stdout, _ = self.submit("slurm", run=name)
        run = str(self.folder / name)
        self.assertEqual(self.called.read_text(), f"--parsable\n{run}/job.sh\n")
        lines = [shlex.split(line) for line in stdout.splitlines()]
        self.assertIn(["submitted", "job", "78"], lines, "what else sbatch says comes before it")
        self.assertIn(["watch", "it:", "tail", "-f", f"{run}/logs/coordinator.log", "|",
                       "gorila", "status", run], lines)  # fmt: skip
        self.assertIn(["resume:", "gorila", "launch", "--engine", "slurm", "--resume", run], lines)
        script = (self.folder / name / "job.sh").read_text()
        # With a slash at the end the name is the same.
        self.run_program("launch", "--engine", "slurm", "--resume", f"{run}/", environment=self.environment)
        self.assertEqual((self.folder / name / "job.sh").read_text(), script)
        # kubectl splits the values of --filename at commas.
        self.stand_in("kubectl", f"printf '%s\\n' \"$@\" > {self.called}")
        self.submit("kubernetes", run=f"{name}/run")
        files = self.called.read_text().splitlines()[2::2]
        self.assertEqual([next(csv.reader([file])) for file in files],
                         [[f"{run}/run/{file}.yaml"] for file in ["secrets", "manifests"]])  # fmt: skip

    def test_a_name_that_an_engine_cannot_use_is_refused(self):
        for engine, name in [("slurm", "a\\b"), ("slurm", "a\nb"), ("kubernetes", "a b"), ("kubernetes", "ä")]:
            self.assert_refused(["launch", *cluster.TINY, "--engine", engine, "--run-dir", name], "expected")

    def test_an_answer_without_a_job_is_an_error(self):
        self.stand_in("sbatch", "echo 'try later'")
        _, stderr = self.submit("slurm", expect=1)
        self.assertIn("'try later", stderr)

    def test_what_an_engine_says_is_passed_on(self):
        self.stand_in("sbatch", "echo 'no such partition' >&2; exit 3")
        _, stderr = self.submit("slurm", expect=1)
        self.assertIn("sbatch ended with exit status 3: no such partition", stderr)

    def test_an_engine_that_is_not_here_is_named(self):
        self.environment = {"PATH": f"{self.folder}/bin"}
        _, stderr = self.submit("kubernetes", expect=2)
        self.assertIn("'kubectl'", stderr)


if __name__ == "__main__":
    program.main()
