"""Whole distributed runs with one command."""

import json
import os
import re
import signal

import cluster
import program


class Launched(cluster.Case):
    def launch(self, run, frames, *more):
        return self.start(
            "launch", *cluster.TINY, "--shards", "2", "--frames", frames, "--run-dir", run,
            "--set", "run.metrics_every_seconds=0.2", *more,
        )  # fmt: skip

    def frames_logged(self, run):
        rows = (self.folder / run / "metrics.jsonl").read_text().splitlines()
        return [row["frames"] for row in map(json.loads, rows) if row["kind"] == "training"]

    def assert_finished(self, run, frames, stdout):
        self.assertIn("protocol greedy, 20 episodes", stdout)
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

    def test_finishes_with_the_files_of_a_run_in_one_process(self):
        process = self.launch("run", 6000, "--set", "evaluation.every_frames=2000",
                              "--set", "evaluation.periodic_episodes=5")
        status, stdout, stderr = self.finish(process)
        self.assertEqual(status, 0, stdout + stderr)
        self.assert_finished("run", 6000, stdout)
        rows = (self.folder / "run" / "metrics.jsonl").read_text().splitlines()
        kinds = {json.loads(row)["kind"] for row in rows}
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
        stdout, _ = self.run_program("launch", "--resume", "run")
        self.assert_finished("run", 12000, stdout)
        self.assertGreaterEqual(min(f for f in self.frames_logged("run") if f > stopped_at), stopped_at)

    def test_children_that_are_killed_are_started_again(self):
        process = self.launch("run", 15000)
        self.wait_for_log("run", process, 1000)
        snapshots = self.folder / "run" / "shards" / "0" / "snapshots"
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
        # What the shards kept when they were told to end is gone on with.
        process = self.start("launch", "--resume", "run")
        self.wait_for_log("run", process, self.frames_logged("run")[-1] + 1000)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(process)[0], 130)


class Refused(cluster.Case):
    def test_bad_input(self):
        tiny = ["launch", *cluster.TINY, "--run-dir", "run"]
        self.assert_refused([*tiny, "--set", "run.deterministic=true"], "run.deterministic")
        self.assert_refused([*tiny, "--engine", "slum"], "'slum'", "local")
        self.assert_refused(["launch", "--resume", "none"], "none")
        self.assert_refused(["launch", "--resume", "none", "--run-dir", "x"], "--resume")
        (self.folder / "cluster.toml").write_text("[run]\nbundle = 3\n")
        self.assert_refused(["launch", "cluster.toml"], "cluster.toml:2", "run.bundle", "bundles")
        self.run_program("train", *program.TINY, "--frames", "600", "--run-dir", "local", "--quiet")
        self.assert_refused(["launch", "--resume", "local"], "no token")

    def test_print_starts_nothing(self):
        stdout, _ = self.run_program(
            "launch", *cluster.TINY, "--shards", "2", "--run-dir", "run", "--print"
        )
        lines = stdout.splitlines()
        self.assertEqual(len(lines), 4)
        self.assertIn("parameter-server --config", lines[0])
        self.assertIn("bundle --config", lines[3])
        self.assertFalse((self.folder / "run").exists())


if __name__ == "__main__":
    program.main()
