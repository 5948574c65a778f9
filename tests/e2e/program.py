"""Runs the real program for the end-to-end tests, each in a folder of its own.

The environment variable GORILA names the program.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = os.environ["GORILA"]
# The program's module with libtorch, which lies beside it where the build found one.
HAS_TORCH = pathlib.Path(PROGRAM).with_name("libgorila_torch.so").exists()
SOURCE = pathlib.Path(__file__).resolve().parents[2]
# In memory where there is such a place: runs sync their files, and a busy disk takes seconds for each.
SCRATCH = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
DEADLINE = 240  # seconds; a busy machine under a sanitizer is slow

# A run of half a second: a small network on Catch. Deterministic, with checkpoints.
TINY = [
    "--env", "classic/catch", "--frames", "12000", "--bundles", "2", "--shards", "2",
    "--set", "network.preset=custom", "--set", "network.hidden=[32]",
    "--set", "actor.epsilon_ticks=5000", "--set", "replay.min_size=500",
    "--set", "replay.capacity=4000", "--set", "optimizer.learning_rate=0.002",
    "--set", "parameter_server.target_period=100", "--set", "evaluation.episodes=20",
    "--set", "evaluation.best=false",
]  # fmt: skip
DETERMINISTIC = [
    "--deterministic", "--set", "run.metrics_every_frames=1000",
    "--set", "checkpoint.every_frames=1600", "--set", "evaluation.every_frames=3000",
    "--set", "evaluation.periodic_episodes=5", "--set", "evaluation.best=true",
]  # fmt: skip
# Learns from unrolls of a queue; beside TINY.
VTRACE = [
    "--set", "learner.algorithm=vtrace", "--set", "replay.selector=queue", "--set", "replay.prefetch=false",
    "--set", "learner.n_step=1", "--set", "learner.unroll=10", "--set", "learner.batch_size=8",
    "--set", "actor.epsilon_start=0", "--set", "actor.epsilon_end=0", "--set", "replay.insert_lead=400",
]  # fmt: skip


def is_sanitized():
    """Whether the program, and so its library, has a sanitizer in it."""
    data = pathlib.Path(PROGRAM).read_bytes()
    return b"libasan.so" in data or b"libtsan.so" in data


class Case(unittest.TestCase):
    """A test with a new, empty current folder for the program."""

    prefix = []  # of every command: where it runs

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gorila-e2e-", dir=SCRATCH))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, *arguments, environment=None, wrapper=()):
        process = subprocess.Popen(
            [*self.prefix, *wrapper, PROGRAM, *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(stop_for_good, process)
        return process

    def finish(self, process):
        """Waits for the process; (exit status, stdout, stderr)."""
        stdout, stderr = process.communicate(timeout=DEADLINE)
        return process.returncode, stdout, stderr

    def run_program(self, *arguments, expect=0, environment=None):
        """Runs to the end; (stdout, stderr)."""
        status, stdout, stderr = self.finish(self.start(*arguments, environment=environment))
        self.assertEqual(status, expect, f"{arguments}\n{stdout}\n{stderr}")
        return stdout, stderr

    def assert_refused(self, arguments, *fragments):
        """Bad input: one line on stderr with all fragments, exit status 2, no file changed."""
        before = snapshot(self.folder)
        stdout, stderr = self.run_program(*arguments, expect=2)
        self.assertEqual(stdout, "", arguments)
        self.assertEqual(stderr.count("\n"), 1, stderr)
        self.assertTrue(stderr.startswith("gorila: "), stderr)
        for fragment in fragments:
            self.assertIn(fragment, stderr)
        self.assertEqual(snapshot(self.folder), before, arguments)
        return stderr

    def wait_until(self, condition, process):
        """Polls until the condition holds; the process must still be running then."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            self.assertIsNone(process.poll(), "the process ended too early")
            self.assertLess(time.monotonic(), deadline, "nothing happened in time")
            time.sleep(0.001)

    def assert_one_thread_takes_signals(self, process):
        """And no thread of the running process a handler: its frame would lie on what SGEMM computes."""

        def takers():
            stop = signal_mask(signal.SIGINT, signal.SIGTERM)
            blocked = signals_of_threads(process, "SigBlk")
            return sum(1 for signals in blocked if signals & stop != stop)

        self.wait_until(lambda: takers() >= 1, process)  # it may not have run yet
        self.assertEqual(takers(), 1)
        for caught in signals_of_threads(process, "SigCgt"):
            self.assertEqual(caught & signal_mask(*range(1, 32)) & ~FAULTS, 0, f"{caught:x}")

    def kill_at_checkpoint(self, process, run, frames):
        """Kills the process as soon as the run has a checkpoint of so many frames or more."""
        self.wait_until(lambda: newest_checkpoint(run) >= frames, process)
        process.send_signal(signal.SIGKILL)
        self.finish(process)
        self.assertEqual(process.returncode, -signal.SIGKILL, "the run ended before it was killed")

    def assert_resumes_exactly(self, arguments, frames, prepare=lambda: None):
        """Killed at a checkpoint of so many frames and resumed, a run writes what the whole run writes."""
        results = {}
        for name in ["killed", "whole"]:
            prepare()
            process = self.start("train", *arguments, "--run-dir", name)
            if name == "killed":
                self.kill_at_checkpoint(process, self.folder / name, frames)
                process = self.start("resume", name)
            status, _, stderr = self.finish(process)
            self.assertEqual(status, 0, stderr)
            run = self.folder / name
            results[name] = (run / "metrics.jsonl").read_bytes(), (run / "final.safetensors").read_bytes()
        self.assertEqual(results["killed"], results["whole"])


def signals_of_threads(process, field):
    """That field of each thread's status, as a mask."""
    masks = []
    for thread in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        try:
            text = (thread / "status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        masks.append(int(re.search(rf"^{field}:\t(\w+)$", text, re.M).group(1), 16))
    return masks


def signal_mask(*signals):
    """As /proc shows it."""
    return sum(1 << (number - 1) for number in signals)


# What a sanitizer catches, on a stack of its own.
FAULTS = signal_mask(
    signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGTRAP
)  # fmt: skip


def stop_for_good(process):
    if process.poll() is None:
        process.kill()
    process.communicate()


def snapshot(folder):
    """Every path below the folder, with the bytes of files."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if path.name != ".lock"
    }


def checkpoints(run):
    """Folders of the run's checkpoints, oldest first."""
    folder = pathlib.Path(run) / "checkpoints"
    return sorted(folder.glob("[0-9]" * 12)) if folder.exists() else []


def newest_checkpoint(run):
    """Its frames; -1 when there is none."""
    found = checkpoints(run)
    return int(found[-1].name) if found else -1


def main():
    unittest.main(argv=sys.argv)
