"""Runs whose disk, output or folder fails while they train."""

import json
import resource
import shutil
import signal
import subprocess

import cluster
import program

LONG = [*program.TINY, "--frames", "100000000", "--set", "run.metrics_every_seconds=0.2"]


# Bytes: more than config.toml has, less than pictures and logs.
SIZE = 24000


def limit_files(size):
    """For a new process: no file may be longer."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def unlimit_files(process):
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)


class Failing(program.Case):
    """A disk that fails, played by a limit on the size of files."""

    def start_limited(self, size, *arguments, verb="train"):
        stderr = open(self.folder / "stderr", "w")
        self.addCleanup(stderr.close)
        process = subprocess.Popen(
            [program.PROGRAM, verb, *arguments, "--run-dir", "run"],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            preexec_fn=limit_files(size),
        )
        self.addCleanup(program.stop_for_good, process)
        return process

    def said(self):
        return (self.folder / "stderr").read_text()

    def test_training_continues_and_writes_everything_later(self):
        process = self.start_limited(SIZE, *LONG, "--set", "checkpoint.every_seconds=0.3")
        self.wait_until(lambda: "\ncannot write run log" in self.said(), process)
        for line in self.said().splitlines():
            if "cannot" in line:
                self.assertIn("training continues", line)
        unlimit_files(process)
        self.wait_until(lambda: "the run log can be written again" in self.said(), process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=program.DEADLINE)
        self.assertEqual(process.returncode, 130, self.said())
        self.assertEqual(self.said().count("\ncannot write run log"), 1)
        log = (self.folder / "run" / "metrics.jsonl").read_text()
        rows = [row for row in map(json.loads, log.splitlines()) if row["kind"] == "training"]
        frames = [row["frames"] for row in rows]
        self.assertGreater(len(frames), 10)
        self.assertEqual(frames, sorted(set(frames)))
        self.run_program("resume", "run", "--frames", str(frames[-1] + 1000))

    def test_the_quiet_are_told_too(self):
        often = ["--frames", "100000000", "--set", "run.metrics_every_seconds=0.05"]
        for verb, tiny in [("train", program.TINY), ("launch", cluster.TINY)]:
            process = self.start_limited(SIZE, *tiny, *often, "--quiet", verb=verb)
            self.wait_until(lambda: "gorila: cannot write run log" in self.said(), process)
            unlimit_files(process)
            self.wait_until(lambda: "gorila: the run log can be written again" in self.said(), process)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=program.DEADLINE)
            self.assertEqual(process.returncode, 130, self.said())
            shutil.rmtree(self.folder / "run")

    def test_a_run_that_could_not_write_its_end_says_so_after_everything_else(self):
        # The page and its pictures are longer than this, the other results shorter.
        process = self.start_limited(SIZE, *program.TINY)
        process.communicate(timeout=program.DEADLINE)
        self.assertEqual(process.returncode, 1, self.said())
        last = self.said().splitlines()[-1]
        self.assertRegex(last, r"^gorila: cannot write 'run/curve.png")
        for name in ["report.md", "report.json", "evaluation.json", "final.safetensors"]:
            self.assertTrue((self.folder / "run" / name).exists(), name)


class Output(program.Case):
    """Nobody takes what the program prints."""

    def test_closed_descriptors_do_not_get_into_the_runs_files(self):
        subprocess.run(
            ["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', program.PROGRAM, "train", *program.TINY]
            + ["--run-dir", "run"],
            cwd=self.folder,
            timeout=program.DEADLINE,
            check=True,
        )
        for line in (self.folder / "run" / "metrics.jsonl").read_text().splitlines():
            json.loads(line)
        self.assertNotIn("frames", (self.folder / "run" / ".lock").read_text())
        self.run_program("resume", "run", "--frames", "14000")

    def test_a_reader_that_is_gone_counts_as_a_closed_terminal(self):
        process = self.start("train", *LONG, "--run-dir", "run")
        self.wait_until(lambda: (self.folder / "run" / "metrics.jsonl").exists(), process)
        process.stdout.close()
        process.stderr.close()
        self.assertEqual(process.wait(timeout=program.DEADLINE), 130)
        self.assertGreater(program.newest_checkpoint(self.folder / "run"), 0)

    def test_nohup_outlives_its_reader(self):
        process = self.start(
            "train", *LONG, "--set", "run.seconds=3", "--run-dir", "run",
            wrapper=["sh", "-c", "trap '' HUP; exec \"$0\" \"$@\""],
        )  # fmt: skip
        self.wait_until(lambda: (self.folder / "run" / "metrics.jsonl").exists(), process)
        process.stderr.close()
        self.assertEqual(process.wait(timeout=program.DEADLINE), 0)


class Removed(program.Case):
    """A run whose folder is removed on purpose."""

    def check(self, *arguments):
        process = self.start(*arguments, "--run-dir", "run")
        run = self.folder / "run"
        log = run / "metrics.jsonl"
        self.wait_until(lambda: log.exists() and log.stat().st_size > 0, process)
        while run.exists():
            shutil.rmtree(run, ignore_errors=True)
        status, _, stderr = self.finish(process)
        self.assertEqual(status, 1)
        self.assertIn("'run' was removed", stderr)

    def test_training_stops(self):
        self.check("train", *LONG)

    def test_a_deterministic_run_stops(self):
        self.check("train", *LONG, "--deterministic", "--set", "run.metrics_every_frames=1000")


if __name__ == "__main__":
    program.main()
