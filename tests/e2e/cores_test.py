"""Threads pinned to cores."""

import os
import pathlib
import unittest

import cluster
import program

ALLOWED = sorted(os.sched_getaffinity(0))


def cores_of(pid):
    """Those of each of its threads, as a set."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            found.append(os.sched_getaffinity(int(task.name)))
        except ProcessLookupError:
            continue  # it has ended
    return found


class Pinned(program.Case):
    def test_results_do_not_depend_on_it(self):
        networks = []
        for name, cpus in [("a", "any"), ("b", str(ALLOWED[0]))]:
            self.run_program("train", *program.TINY, *program.DETERMINISTIC, "--quiet", "--run-dir", name,
                             "--set", f"run.cpus={cpus}")  # fmt: skip
            networks.append((self.folder / name / "final.safetensors").read_bytes())
        self.assertEqual(networks[0], networks[1])

    @unittest.skipIf(len(ALLOWED) < 2, "one core")
    def test_each_bundle_has_a_core(self):
        first, second = ALLOWED[:2]
        process = self.start("train", *program.TINY, "--frames", "100000000", "--run-dir", "run",
                             "--set", f"run.cpus={second},{first}")  # fmt: skip
        self.wait_until(lambda: {first} in cores_of(process.pid) and {second} in cores_of(process.pid), process)
        self.assertEqual(os.sched_getaffinity(process.pid), {first, second})

    def test_cores_that_may_not_be_used_are_refused(self):
        for cpus, fragment in [("8190", "may not use 8190"), ("0-", "'0-'"), ("all", "'all'")]:
            self.assert_refused(["train", *program.TINY, "--set", f"run.cpus={cpus}"], "run.cpus", fragment)
        self.run_program("train", *program.TINY, "--quiet", "--run-dir", "run")
        self.assert_refused(["resume", "run", "--frames", "13000", "--set", "run.cpus=8190"], "run.cpus")

    def test_doctor_shows_them(self):
        stdout, _ = self.run_program("doctor")
        self.assertRegex(stdout, r"pinning +cores [0-9,-]+ may be used.*run.cpus is any")
        stdout, _ = self.run_program("doctor", "--bundles", "1", "--set", f"run.cpus={ALLOWED[0]}")
        self.assertIn(f"bundles on cores {ALLOWED[0]}", stdout)
        stdout, _ = self.run_program("doctor", "--set", "run.cpus=8190", expect=1)
        self.assertIn("may not use 8190", stdout)


class Launched(cluster.Case):
    @unittest.skipIf(len(ALLOWED) < 2, "one core")
    def test_workers_share_the_cores_and_servers_have_all(self):
        first, second = ALLOWED[:2]
        process = self.start("launch", *cluster.TINY, "--bundles", "2", "--frames", "100000000",
                             "--run-dir", "run", "--set", f"run.cpus={first},{second}")  # fmt: skip

        def pinned():
            return sorted(sorted(os.sched_getaffinity(pid)) for pid in cluster.children_of(process.pid, "bundle"))

        self.wait_until(lambda: pinned() == [[first], [second]], process)
        for pid in cluster.children_of(process.pid, "parameter-server"):
            self.assertEqual(os.sched_getaffinity(pid), {first, second})

    def test_engines_that_place_processes_refuse_it(self):
        self.assert_refused(
            ["launch", *cluster.TINY, "--engine", "slurm", "--run-dir", "run", "--set", "run.cpus=0"],
            "run.cpus is 0", "cluster.cpus",
        )  # fmt: skip


if __name__ == "__main__":
    program.main()
