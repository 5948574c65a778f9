"""Runs that are killed or stopped, and go on."""

import json
import signal

import program

# The learning rate does not fall over the run's own length, so that a longer run begins alike.
DETERMINISTIC_RUN = [
    *program.TINY, *program.DETERMINISTIC, "--set", "optimizer.decay_updates=3000",
]  # fmt: skip


class TimeUp(program.Case):
    def test_a_run_whose_seconds_are_over_is_scored_and_not_trained(self):
        self.run_program("train", *program.TINY, "--frames", "2000000000", "--seconds", "1", "--run-dir", "run")
        frames = program.newest_checkpoint(self.folder / "run")
        stdout, stderr = self.run_program("resume", "run", "--frames", "2000000001")
        self.assertIn("it will not be trained further (--seconds counts over resumes)", stderr)
        self.assertIn("score", stdout)
        self.assertEqual(program.newest_checkpoint(self.folder / "run"), frames)
        self.run_program("resume", "run", "--seconds", "3")
        self.assertGreater(program.newest_checkpoint(self.folder / "run"), frames)


class Deterministic(program.Case):
    """Killed or stopped and resumed, bit for bit as if nothing had happened."""

    # Long enough to be caught in the middle: about two seconds.
    RUN = [*DETERMINISTIC_RUN, "--frames", "60000", "--set", "checkpoint.every_frames=4000"]

    def results(self, name):
        run = self.folder / name
        return (run / "metrics.jsonl").read_bytes(), (run / "final.safetensors").read_bytes()

    def train_uninterrupted(self):
        self.run_program("train", *self.RUN, "--quiet", "--run-dir", "whole")
        return self.results("whole")

    def test_killed_several_times(self):
        process = self.start("train", *self.RUN, "--run-dir", "killed")
        self.kill_at_checkpoint(process, self.folder / "killed", 4000)
        for frames in [16000, 32000]:
            process = self.start("resume", "killed")
            self.kill_at_checkpoint(process, self.folder / "killed", frames)
        self.run_program("resume", "killed", "--quiet")
        self.assertEqual(self.results("killed"), self.train_uninterrupted())

    def test_killed_with_compressed_replay(self):
        zstd = ["--set", "replay.compression=zstd"]
        process = self.start("train", *self.RUN, *zstd, "--run-dir", "killed")
        self.kill_at_checkpoint(process, self.folder / "killed", 8000)
        self.run_program("resume", "killed", "--quiet")
        # Compression is no part of the result.
        self.assertEqual(self.results("killed"), self.train_uninterrupted())

    def test_killed_before_its_first_checkpoint(self):
        process = self.start("train", *self.RUN, "--run-dir", "killed")
        log = self.folder / "killed" / "metrics.jsonl"
        self.wait_until(lambda: log.exists() and log.stat().st_size > 0, process)
        process.send_signal(signal.SIGKILL)
        self.finish(process)
        for checkpoint in program.checkpoints(self.folder / "killed"):
            self.assertGreaterEqual(int(checkpoint.name), 4000)
        self.run_program("resume", "killed", "--quiet")
        self.assertEqual(self.results("killed"), self.train_uninterrupted())

    def test_interrupted(self):
        process = self.start("train", *self.RUN, "--run-dir", "stopped")
        run = self.folder / "stopped"
        self.wait_until(lambda: program.newest_checkpoint(run) >= 4000, process)
        process.send_signal(signal.SIGINT)
        status, _, stderr = self.finish(process)
        self.assertEqual(status, 130)
        self.assertIn("gorila resume stopped", stderr)
        self.assertFalse((run / "final.safetensors").exists())
        self.run_program("resume", "stopped", "--quiet")
        self.assertEqual(self.results("stopped"), self.train_uninterrupted())

    def test_a_second_ctrl_c_ends_at_once(self):
        # No record of the log ends before the run does, and a stop waits for one.
        process = self.start(
            "train", *program.TINY, "--deterministic", "--frames", "1000000000",
            "--set", "run.metrics_every_frames=1000000000", "--run-dir", "run",
        )  # fmt: skip
        process.stderr.readline()  # progress: it trains
        process.send_signal(signal.SIGTERM)
        while "stopping" not in process.stderr.readline():
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        status, _, _ = self.finish(process)
        self.assertEqual(status, 130)
        self.assertEqual(program.checkpoints(self.folder / "run"), [])

    def test_what_a_system_sends_twice_is_one_wish(self):
        # A stop waits for the end of a row: long after the signals.
        process = self.start(
            "train", *program.TINY, "--deterministic", "--frames", "1000000000",
            "--set", "run.metrics_every_frames=20000", "--run-dir", "run",
            wrapper=["env", "--default-signal=HUP"],
        )  # fmt: skip
        process.stderr.readline()  # progress: it trains
        process.send_signal(signal.SIGTERM)
        while "stopping" not in process.stderr.readline():
            self.assertIsNone(process.poll())
        for again in [signal.SIGTERM, signal.SIGHUP, signal.SIGTERM]:
            process.send_signal(again)
        status, _, stderr = self.finish(process)
        self.assertEqual(status, 130)
        self.assertIn("gorila resume run", stderr)
        self.assertEqual(len(program.checkpoints(self.folder / "run")), 1)


class Threaded(program.Case):
    RUN = [*program.TINY, "--set", "run.metrics_every_seconds=0.1"]

    def frames_logged(self, name):
        rows = (self.folder / name / "metrics.jsonl").read_text().splitlines()
        return [row["frames"] for row in map(json.loads, rows) if row["kind"] == "training"]

    def test_killed_run_goes_on(self):
        process = self.start(
            "train", *self.RUN, "--frames", "1000000000", "--run-dir", "run",
            "--set", "checkpoint.every_seconds=0.2",
        )  # fmt: skip
        self.kill_at_checkpoint(process, self.folder / "run", 1000)
        kept = program.newest_checkpoint(self.folder / "run")
        _, stderr = self.run_program("resume", "run", "--frames", kept + 5000)
        self.assertIn(f"resuming at {kept} frames", stderr)
        logged = self.frames_logged("run")
        self.assertEqual(logged, sorted(set(logged)))
        self.assertGreaterEqual(logged[-1], kept + 5000)

    def test_interrupted_run_leaves_a_checkpoint(self):
        process = self.start("train", *self.RUN, "--frames", "1000000000", "--run-dir", "run")
        process.stderr.readline()  # progress: it trains
        process.send_signal(signal.SIGINT)
        status, _, stderr = self.finish(process)
        self.assertEqual(status, 130)
        self.assertIn("gorila resume run", stderr)
        self.assertEqual(len(program.checkpoints(self.folder / "run")), 1)

    def test_a_closed_terminal_leaves_a_checkpoint(self):
        process = self.start(
            "train", *self.RUN, "--frames", "1000000000", "--run-dir", "run",
            wrapper=["env", "--default-signal=HUP"],  # whoever runs the tests may ignore it
        )  # fmt: skip
        process.stderr.readline()  # progress: it trains
        process.send_signal(signal.SIGHUP)
        self.assertEqual(self.finish(process)[0], 130)
        self.assertEqual(len(program.checkpoints(self.folder / "run")), 1)

    def test_under_nohup_a_closed_terminal_is_nothing(self):
        process = self.start(
            "train", *self.RUN, "--frames", "1000000000", "--run-dir", "run", wrapper=["nohup"]
        )
        process.stderr.readline()  # progress: it trains
        process.send_signal(signal.SIGHUP)
        seen = len(self.frames_logged("run"))
        self.wait_until(lambda: len(self.frames_logged("run")) > seen + 3, process)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(process)[0], 130)

    def test_signals_do_not_reach_threads_that_compute(self):
        process = self.start(
            "train", *self.RUN, "--frames", "1000000000", "--run-dir", "run",
            "--metrics-listen", "127.0.0.1:0",
        )  # fmt: skip
        for _ in ["address of the metrics", "progress: it trains"]:
            process.stderr.readline()
        self.assert_one_thread_takes_signals(process)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process)[0], 130)

    def test_time_limit_ends_a_run(self):
        stdout, _ = self.run_program(
            "train", *self.RUN, "--frames", "1000000000", "--seconds", "0.5", "--run-dir", "run"
        )
        self.assertIn("protocol greedy, 20 episodes", stdout)


class Finished(program.Case):
    def setUp(self):
        super().setUp()
        self.stdout, _ = self.run_program("train", *DETERMINISTIC_RUN, "--run-dir", "run")

    def test_shows_its_result_again(self):
        before = program.snapshot(self.folder)
        stdout, stderr = self.run_program("resume", "run")
        self.assertIn("the run is finished", stderr)
        self.assertTrue(self.stdout.endswith(stdout))
        self.assertEqual(self.run_program("resume", "run", "--quiet"), (stdout, ""))
        self.assertEqual(program.snapshot(self.folder), before)

    def test_a_lost_log_costs_its_records_alone(self):
        (self.folder / "run" / "metrics.jsonl").unlink()
        _, stderr = self.run_program("resume", "run", "--frames", "16000", "--quiet")
        self.assertIn("'run/metrics.jsonl' is missing", stderr)
        rows = map(json.loads, (self.folder / "run" / "metrics.jsonl").read_text().splitlines())
        frames = [row["frames"] for row in rows if row["kind"] == "training"]
        self.assertGreaterEqual(frames[-1], 16000)

    def test_trains_on_with_more_frames(self):
        self.run_program("resume", "run", "--frames", "16000", "--quiet")
        self.run_program(
            "train", *DETERMINISTIC_RUN, "--frames", "16000", "--quiet", "--run-dir", "whole"
        )
        for name in ["metrics.jsonl", "final.safetensors", "evaluation.json"]:
            longer, whole = (self.folder / run / name for run in ["run", "whole"])
            self.assertEqual(longer.read_bytes(), whole.read_bytes(), name)
        report = json.loads((self.folder / "run" / "report.json").read_text())
        self.assertGreaterEqual(report["frames"], 16000)

    def test_refuses_fewer_frames_and_another_network(self):
        self.assert_refused(["resume", "run", "--frames", "100"], "--frames", "12")
        self.assert_refused(["resume", "run", "--set", "network.hidden=[16]"], "network")

    def test_damaged_checkpoints_are_refused(self):
        (self.folder / "run" / "evaluation.json").unlink()
        for checkpoint in program.checkpoints(self.folder / "run"):
            file = checkpoint / "parameters.safetensors"
            data = bytearray(file.read_bytes())
            data[-1] ^= 1
            file.write_bytes(data)
        self.assert_refused(["resume", "run"], "parameters.safetensors")

    def test_damaged_segments_of_compressed_replay_are_refused(self):
        self.run_program(
            "train", *DETERMINISTIC_RUN, "--set", "replay.compression=zstd", "--run-dir", "zstd"
        )
        (self.folder / "zstd" / "evaluation.json").unlink()
        segments = {  # checkpoints share them
            file.stat().st_ino: file
            for checkpoint in program.checkpoints(self.folder / "zstd")
            for file in checkpoint.rglob("*.segment")
        }
        self.assertGreater(len(segments), 0)
        for file in segments.values():
            data = bytearray(file.read_bytes())
            data[len(data) // 2] ^= 1
            file.write_bytes(data)
        self.assert_refused(["resume", "zstd"], ".segment")

    def test_damaged_newest_checkpoint_is_passed_over(self):
        (self.folder / "run" / "evaluation.json").unlink()
        older, newest = program.checkpoints(self.folder / "run")
        (newest / "parameters.safetensors").write_bytes(b"")
        wanted = (self.folder / "run" / "final.safetensors").read_bytes()
        _, stderr = self.run_program("resume", "run")
        self.assertIn(f"resuming at {int(older.name)} frames", stderr)
        self.assertEqual((self.folder / "run" / "final.safetensors").read_bytes(), wanted)


if __name__ == "__main__":
    program.main()
