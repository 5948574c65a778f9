"""Limits of memory, address space and threads: one line and exit status 1, never a crash."""

import contextlib
import os
import pathlib
import resource
import shutil
import subprocess
import unittest

import program

MIB = 1 << 20
# They reserve terabytes of address space, and memory beside that of the program.
SANITIZED = any(
    name in pathlib.Path(program.PROGRAM).read_bytes() for name in (b"__asan_init", b"__tsan_init")
)
# A version 1 hierarchy; with version 2 only whoever made a group can say what it controls.
GROUPS = pathlib.Path("/sys/fs/cgroup/memory")


class Case(program.Case):
    program = program.PROGRAM

    def start_limited(self, limit, *arguments):
        """The program, which calls `limit` before anything else."""
        process = subprocess.Popen(
            [self.program, *map(str, arguments)],
            cwd=self.folder,
            preexec_fn=limit,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(program.stop_for_good, process)
        return process

    def assert_fails(self, process, *fragments):
        """One line on stderr with all fragments, and exit status 1."""
        status, stdout, stderr = self.finish(process)
        self.assertEqual(status, 1, f"{stdout}\n{stderr}")
        self.assertEqual(stderr.count("\n"), 1, stderr)
        self.assertTrue(stderr.startswith("gorila: "), stderr)
        for fragment in fragments:
            self.assertIn(fragment, stderr)


@unittest.skipIf(SANITIZED, "a sanitizer reserves more than any limit")
class AddressSpace(Case):
    def train(self, mib):
        return self.start_limited(
            lambda: resource.setrlimit(resource.RLIMIT_AS, (mib * MIB, mib * MIB)),
            *["train", *program.TINY, "--run-dir", f"r{mib}"],
        )

    def test_training_ends_well_or_is_refused_before_it_begins(self):
        trained = []
        for mib in range(120, 340, 20):
            status, stdout, stderr = self.finish(self.train(mib))
            if status == 0:
                trained.append(mib)
                continue
            self.assertEqual((status, stdout), (1, ""), stderr)
            self.assertEqual(stderr.count("\n"), 1, stderr)
            self.assertIn("address space", stderr)
            self.assertIn(f"{mib} MiB", stderr)
            self.assertFalse((self.folder / f"r{mib}").exists())
        # Once it fits, it fits with more too.
        self.assertEqual(trained, list(range(min(trained), 340, 20)))


class Threads(Case):
    """Somebody who may have one thread, and of whom no other process is there."""

    def setUp(self):
        super().setUp()
        self.directory = self.folder / "run"
        self.program = shutil.copy(program.PROGRAM, self.folder)  # where anybody may read it
        os.chmod(self.folder, 0o777)

    @staticmethod
    def limit():
        if os.getuid() == 0:  # whom the limit does not hold for
            os.setgroups([])
            os.setuid(50_000 + os.getpid() % 10_000)
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))

    def assert_needs_threads(self, *arguments):
        process = self.start_limited(self.limit, *arguments)
        self.assert_fails(process, "cannot start a thread", "ulimit -u is 1")

    def test_every_verb_that_needs_them_says_so(self):
        self.assert_needs_threads("train", *program.TINY, "--run-dir", self.directory)
        self.assert_needs_threads("launch", "--env", "classic/catch", "--run-dir", self.directory)
        self.assertFalse(self.directory.exists())
        self.run_program("train", *program.TINY, "--run-dir", self.directory)
        self.assert_needs_threads("evaluate", self.directory)
        self.assert_needs_threads("dashboard", self.directory, "--listen", "127.0.0.1:0")
        config = self.directory / "config.toml"
        self.assert_needs_threads("parameter-server", "--config", config, "--state-dir", "state")
        process = self.start_limited(self.limit, "doctor", "--bundles", "1")
        status, stdout, _ = self.finish(process)
        self.assertEqual(status, 1)
        self.assertRegex(stdout, r"PROBLEM +denormals .*cannot start a thread")


@contextlib.contextmanager
def memory_group(*limits):
    """A control group with the first limit, in it one with the second, ...; the innermost."""
    folders = []
    try:
        for limit in limits:
            parent = folders[-1] if folders else GROUPS
            folders.append(parent / f"gorila-test-{os.getpid()}")
            folders[-1].mkdir()
            (folders[-1] / "memory.limit_in_bytes").write_text(str(limit))
        yield folders[-1]
    finally:
        for folder in reversed(folders):
            folder.rmdir()


@unittest.skipIf(SANITIZED, "a sanitizer takes memory of its own")
@unittest.skipUnless(os.access(GROUPS, os.W_OK), "control groups of memory cannot be made here")
class ControlGroups(Case):
    # 42 MiB of replay memory: that and the program fit in 120 MiB, but not the checkpoint's copy too.
    LARGE = ["--set", "replay.capacity=300000", "--frames", "700000"]

    def start_in(self, group, *arguments):
        return self.start_limited(
            lambda: (group / "cgroup.procs").write_text(str(os.getpid())), *arguments
        )

    def test_a_run_that_would_be_killed_is_refused(self):
        for limits in ([120 * MIB], [120 * MIB, 200 * MIB], [400 * MIB, 120 * MIB]):
            with self.subTest(limits=limits), memory_group(*limits) as group:
                doctor = self.start_in(group, "doctor")
                _, stdout, _ = self.finish(doctor)
                self.assertRegex(stdout, r"memory .* MiB available of 120\.0 MiB")
                run = self.start_in(
                    group, "train", *program.TINY, *self.LARGE, "--run-dir", self.folder / "large"
                )
                self.assert_fails(run, "training would take", "limit of 120 MiB")
                self.assertFalse((self.folder / "large").exists())

    def test_a_launch_of_too_many_processes_is_refused(self):
        with memory_group(200 * MIB) as group:
            launch = self.start_in(
                group, "launch", "--env", "classic/catch", "--bundles", "6", "--run-dir", "run",
                "--set", "replay.capacity=4000", "--set", "replay.min_size=500",
            )  # fmt: skip
            self.assert_fails(launch, "the launcher and", "limit of 200 MiB")
            self.assertFalse((self.folder / "run").exists())

    def test_a_run_that_fits_ends_well(self):
        with memory_group(160 * MIB) as group:
            status, _, stderr = self.finish(self.start_in(group, "train", *program.TINY))
            self.assertEqual(status, 0, stderr)


if __name__ == "__main__":
    program.main()
