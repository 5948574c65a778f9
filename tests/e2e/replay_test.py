"""Actors, learners and shards of a global replay as processes, and what goes wrong between them."""

import re
import signal
import time

import cluster
import program


class Case(cluster.Case):
    def start_replay(self, index=0, listen="127.0.0.1:0", *more):
        """(process, address) of a replay shard that serves."""
        file = self.folder / f"replay-address-{index}-{time.monotonic_ns()}"
        process = self.start(
            "replay", *TINY, "--replay-index", index, "--listen", listen, "--token-file", "token",
            "--state-dir", f"replay-{index}", "--address-file", file, *more,
        )  # fmt: skip
        self.wait_until(file.exists, process)
        return process, file.read_text().strip()

    def start_actor(self, parameter_servers, replays, index=0, actors=2, frames=10**9):
        return self.start(
            "actor", *TINY, "--frames", frames, "--actor-index", index, "--actors", actors,
            "--parameter-servers", parameter_servers, "--replays", replays, "--token-file", "token",
        )  # fmt: skip

    def start_learner(self, parameter_servers, replays, index=0, frames=10**9, *more):
        return self.start(
            "learner", *TINY, "--frames", frames, "--learner-index", index, *more,
            "--parameter-servers", parameter_servers, "--replays", replays, "--token-file", "token",
        )  # fmt: skip

    def look(self, parameter_server, replays, expect=0):
        """What `gorila status` says of the run, and its replay shards by index."""
        stdout, _ = self.run_program(
            "status", "--parameter-servers", parameter_server, "--replays", replays,
            "--interval", "0.05", "--token-file", "token", expect=expect,
        )  # fmt: skip
        seen = cluster.parse_status(stdout)
        seen["replays"] = {}
        seen["held"] = re.findall(r"^    inserts wait for samples: .*$", stdout, re.M)
        table = stdout[stdout.index("replay  ") :] if "replay  " in stdout else ""
        for row in re.findall(r"^  shard (\d+) +(\d+) +(\d+) +(\d+) +\S+ +(\d+) +(\d+)", table, re.M):
            names = ["generation", "steps", "inserted", "repeated", "samples"]
            seen["replays"][int(row[0])] = dict(zip(names, map(int, row[1:])))
        return seen

    def wait_for(self, condition, parameter_server, replays, *processes, expect=0):
        """Until `condition` holds of what status says; that."""
        deadline = time.monotonic() + program.DEADLINE
        while True:
            seen = self.look(parameter_server, replays, expect)
            if condition(seen):
                return seen
            for process in processes:
                self.assertIsNone(process.poll(), "a process ended too early")
            self.assertLess(time.monotonic(), deadline, f"nothing happened in time: {seen}")


# Without the bundles' keys.
TINY = [argument for argument in cluster.TINY]
del TINY[TINY.index("--bundles") : TINY.index("--bundles") + 2]


class Refusals(Case):
    def test_bad_input(self):
        self.assert_refused(["replay", "--state-dir", "s", "--listen", "0.0.0.0:0"], "--insecure")
        self.assert_refused(
            ["replay", "--state-dir", "s", "--byte-budget", "1000000"], "would take", "byte_budget"
        )
        servers = ["--parameter-servers", "127.0.0.1:9", "--replays", "127.0.0.1:9"]
        self.assert_refused(["actor", *servers, "--actor-index", "3", "--actors", "2"], "0..1")
        self.assert_refused(["learner", *servers[:2]], "--replays")
        self.assert_refused(["learner", *servers[:2], "--replays", "here"], "'here'")

    def test_another_run_is_refused_and_counted(self):
        server, address = self.start_shard()
        replay, replays = self.start_replay(0, "127.0.0.1:0", "--set", "network.hidden=[64]")
        actor = self.start_actor(address, replays)
        status, _, stderr = self.finish(actor)
        self.assertEqual(status, 1)
        self.assertIn("parameter layout", stderr)
        seen = self.look(address, replays)
        self.assertGreaterEqual(seen["refused"]["layout"], 1)
        self.assertEqual(seen["replays"][0]["steps"], 0)
        self.stop(replay)
        self.stop(server)


class Runs(Case):
    def test_actors_and_learners_in_any_number_end_with_the_run(self):
        for actors, shards, learners in [(3, 2, 1), (1, 1, 2)]:
            self.folder.joinpath("token").write_text(cluster.TOKEN + "\n")
            server, address = self.start_shard(0, "127.0.0.1:0", f"state-{actors}", frames=6000)
            replay = [self.start_replay(10 * actors + i) for i in range(shards)]
            replays = ",".join(where for _, where in replay)
            workers = [self.start_actor(address, replays, i, actors, 6000) for i in range(actors)]
            for i, prefetch in enumerate(["true", "false"][:learners]):
                settings = ["--set", f"replay.prefetch={prefetch}"]
                workers.append(self.start_learner(address, replays, i, 6000, *settings))
            for worker in workers:
                status, stdout, stderr = self.finish(worker)
                self.assertEqual(status, 0, stdout + stderr)
            seen = self.look(address, replays)
            self.assertGreaterEqual(seen["frames"], 6000)
            # A quarter of the frames after each shard's first 500; a frame is a row, but for the last
            # of an episode, which has no action. Each shard's first minibatch is free, and a
            # minibatch sampled ahead may come to nothing when the run ends.
            paid = (seen["frames"] - 500 * shards) / 4
            self.assertGreaterEqual(seen["version"], paid - 2 * shards - 4)
            self.assertLessEqual(seen["version"], paid + 2 * shards)
            self.assert_adds_up(seen)
            inserted = [shard["inserted"] for shard in seen["replays"].values()]
            self.assertEqual(len(inserted), shards)
            self.assertGreaterEqual(sum(inserted), 6000, "each frame is a time step at least")
            self.assertTrue(all(inserted), "every shard has its share")
            for process, _ in replay:
                self.stop(process)
            self.stop(server)


class Faults(Case):
    def setUp(self):
        super().setUp()
        self.server, self.address = self.start_shard()
        shards = [self.start_replay(i) for i in range(2)]
        self.replay = [process for process, _ in shards]
        self.where = [address for _, address in shards]
        self.replays = ",".join(self.where)
        self.actors = [self.start_actor(self.address, self.replays, i) for i in range(2)]
        self.learner = self.start_learner(self.address, self.replays)
        self.wait_for(lambda seen: seen["version"] > 50, self.address, self.replays, self.learner)

    def goes_on(self, *processes, expect=0):
        """Both acting and learning; what status says then."""
        before = self.look(self.address, self.replays, expect)
        return self.wait_for(
            lambda seen: seen["frames"] > before["frames"] + 500
            and seen["version"] > before["version"] + 50,
            self.address, self.replays, *processes, expect=expect,
        )  # fmt: skip

    def end(self):
        for process in [*self.actors, self.learner]:
            self.stop(process, expect=130)
        seen = self.look(self.address, self.replays)
        self.assert_adds_up(seen)
        for process in [*self.replay, self.server]:
            self.stop(process)

    def test_a_killed_actor_is_not_missed_and_may_come_back(self):
        self.actors[0].kill()
        self.goes_on(self.actors[1], self.learner)
        self.actors[0] = self.start_actor(self.address, self.replays, 0)
        self.goes_on(*self.actors, self.learner)
        self.end()

    def test_a_halted_actor_holds_nobody_up(self):
        self.actors[0].send_signal(signal.SIGSTOP)
        self.goes_on(self.actors[1], self.learner)
        self.actors[0].send_signal(signal.SIGCONT)
        self.goes_on(*self.actors, self.learner)
        self.end()

    def test_a_killed_learner_goes_on_where_it_comes_back(self):
        self.learner.kill()
        self.learner.wait()
        self.learner = self.start_learner(self.address, self.replays)
        self.goes_on(*self.actors, self.learner)
        self.end()

    def test_halted_learners_hold_actors_and_go_on(self):
        other = self.start_learner(self.address, self.replays, 1)
        self.wait_for(
            lambda seen: seen["gradients_of"]["learner 1"] > 50,
            self.address, self.replays, self.learner, other,
        )  # fmt: skip
        self.learner.send_signal(signal.SIGSTOP)
        self.goes_on(*self.actors, other)
        other.send_signal(signal.SIGSTOP)
        # An actor that waits at one shard inserts nowhere, so one shard that holds may hold them both.
        halted = self.wait_for(lambda seen: seen["held"], self.address, self.replays, *self.actors)
        # 500 frames before learning and 1000 of lead; a row in ten is an episode's last, which is no frame.
        allowed = {index: 1500 + 4 * shard["samples"] for index, shard in halted["replays"].items()}
        inserted = {index: shard["inserted"] for index, shard in halted["replays"].items()}
        self.assertTrue(any(inserted[index] >= allowed[index] - 100 for index in allowed), halted)
        for index in allowed:
            self.assertLessEqual(inserted[index], 1.2 * allowed[index] + 200, halted)
        for name, learner in [("learner 0", self.learner), ("learner 1", other)]:
            learner.send_signal(signal.SIGCONT)
            self.wait_for(
                lambda seen: seen["gradients_of"][name] > halted["gradients_of"][name] + 50,
                self.address, self.replays, *self.actors, learner,
            )  # fmt: skip
        self.stop(other, expect=130)
        self.end()

    def test_a_killed_replay_shard_is_left_out_and_comes_back_with_its_snapshot(self):
        snapshots = self.folder / "replay-0" / "snapshots"
        self.wait_until(lambda: any(snapshots.glob("[0-9]*")), self.replay[0])
        self.replay[0].kill()
        self.replay[0].wait()
        self.goes_on(*self.actors, self.learner, expect=1)
        self.replay[0], _ = self.start_replay(0, self.where[0])
        back = self.look(self.address, self.replays)["replays"][0]
        self.assertEqual(back["generation"], 2)
        self.assertGreater(back["steps"], 0)
        self.wait_for(
            lambda seen: seen["replays"][0]["inserted"] > back["inserted"]
            and seen["replays"][0]["samples"] > back["samples"],
            self.address, self.replays, *self.actors, self.learner,
        )  # fmt: skip
        self.end()

    def test_a_halted_replay_shard_is_left_out_until_it_goes_on(self):
        self.replay[1].send_signal(signal.SIGSTOP)
        before = cluster.Case.status(self, self.address)
        deadline = time.monotonic() + program.DEADLINE
        while True:
            seen = cluster.Case.status(self, self.address)
            if seen["frames"] > before["frames"] + 500 and seen["version"] > before["version"] + 50:
                break
            self.assertLess(time.monotonic(), deadline, "the run stands still")
        self.replay[1].send_signal(signal.SIGCONT)
        back = self.look(self.address, self.replays)["replays"][1]
        self.wait_for(
            lambda seen: seen["replays"][1]["inserted"] > back["inserted"],
            self.address, self.replays, *self.actors, self.learner,
        )  # fmt: skip
        self.end()

    def test_a_replay_shard_without_its_snapshots_begins_empty(self):
        self.replay[0].kill()
        self.replay[0].wait()
        for segment in (self.folder / "replay-0" / "snapshots").rglob("*.segment"):
            segment.write_bytes(b"damaged")
        for state in (self.folder / "replay-0" / "snapshots").rglob("shard.state"):
            state.write_bytes(b"damaged")
        self.replay[0], _ = self.start_replay(0, self.where[0])
        self.goes_on(*self.actors, self.learner)
        self.end()


if __name__ == "__main__":
    program.main()
