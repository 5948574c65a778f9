"""Networks that several members compute together: threads in one process, and processes."""

import os
import re
import signal

import cluster
import launch_test
import program

WIDE = ["--set", "network.hidden=[64]", "--set", "learner.members=3"]


class Threads(program.Case):
    def test_a_resumed_run_is_the_whole_run(self):
        self.assert_resumes_exactly(
            [*program.TINY, *program.DETERMINISTIC, "--frames", "12000", *WIDE,
             "--set", "checkpoint.every_frames=2000"], 4000,
        )  # fmt: skip

    def test_sums_of_gradients_are_resumed_exactly_too(self):
        self.assert_resumes_exactly(
            [*program.TINY, *program.DETERMINISTIC, "--frames", "12000", "--bundles", "2",
             "--set", "learner.push_every=7", "--set", "learner.fetch_every=3", "--set", "learner.warm_start=20",
             "--set", "checkpoint.every_frames=2000"], 4000,
        )  # fmt: skip

    def test_sums_of_noisy_gradients_are_resumed_exactly_too(self):
        self.assert_resumes_exactly(
            [*program.TINY, *program.DETERMINISTIC, "--frames", "12000", *WIDE, "--set", "network.noise=0.5",
             "--set", "learner.push_every=7", "--set", "checkpoint.every_frames=2000"], 4000,
        )  # fmt: skip

    def test_another_number_of_members_continues_a_run(self):
        run = [*program.TINY, *program.DETERMINISTIC, *WIDE, "--run-dir", "run", "--quiet"]
        self.run_program("train", *run, "--frames", "3000")
        self.run_program("resume", "run", "--frames", "6000", "--set", "learner.members=2", "--quiet")
        stdout, _ = self.run_program("evaluate", "run", "--episodes", "20")
        self.assertIn("20 episodes", stdout)

    def test_what_cannot_be_divided_is_refused(self):
        tiny = ["train", *program.TINY, "--frames", "5000", "--run-dir", "run", *WIDE]
        for change, words in [
            ("learner.members=5", "learner.members is 5"),
            ("network.backend=reference", "network.backend reference"),
            ("parameter_server.encoding=bf16", "parameter_server.encoding"),
        ]:
            self.assert_refused([*tiny, "--set", change], words)


class Processes(launch_test.Case):
    MEMBERS = [*WIDE, "--bundles", "1"]

    def finish_after_kill(self, verb, killed, *more):
        process = self.launch("run", 9000, *self.MEMBERS, *more)
        self.wait_for_log("run", process, 2000)
        children = cluster.children_of(process.pid, verb)
        os.kill(children[0], signal.SIGKILL)
        status, stdout, stderr = self.finish(process)
        self.assertEqual(status, 0, stdout + stderr)
        self.assertRegex(stderr, rf"{killed} was killed by signal 9; starting it again")
        self.assert_finished("run", 9000, stdout)
        return children, stderr

    def test_a_killed_member_costs_its_gradient_and_no_more(self):
        members, stderr = self.finish_after_kill("member", r"member-\d")
        self.assertEqual(len(members), 2)
        self.assertNotRegex(stderr, r"bundle-\d was killed|bundle-\d ended")
        stdout, _ = self.run_program("evaluate", "run", "--episodes", "20")
        score = float(re.search(r"(-?[\d.]+) \+-", stdout).group(1))
        self.assertGreater(score, -1)

    def test_a_killed_member_costs_a_sum_of_noisy_gradients(self):
        settings = ["--set", "learner.push_every=3", "--set", "network.noise=0.5"]
        _, stderr = self.finish_after_kill("member", r"member-\d", *settings)
        self.assertNotRegex(stderr, r"bundle-\d was killed|bundle-\d ended")

    def test_a_killed_bundle_leads_its_members_again(self):
        self.finish_after_kill("bundle", "bundle-0")

    def test_a_learner_of_a_global_replay_leads_a_group(self):
        process = self.launch(
            "run", 6000, *WIDE, "--bundles", "0", "--actors", "1", "--learners", "1", "--replays", "1"
        )
        status, stdout, stderr = self.finish(process)
        self.assertEqual(status, 0, stdout + stderr)
        self.assert_finished("run", 6000, stdout)


class ByHand(cluster.Case):
    def test_a_bundle_with_too_few_members_is_refused(self):
        shard, address = self.start_shard(0, "127.0.0.1:0", None, *WIDE)
        bundle = self.start_bundle(address, 0, *WIDE, "--members", "127.0.0.1:1")
        status, _, stderr = self.finish(bundle)
        self.assertNotEqual(status, 0)
        self.assertIn("--members has 1 addresses; expected 4", stderr)
        bundle = self.start_bundle(address, 0, *WIDE, "--members", ",".join(["127.0.0.1:1"] * 4))
        _, _, stderr = self.finish(bundle)
        self.assertIn("--members has 127.0.0.1:1 twice", stderr)
        bundle = self.start_bundle(address, 0, "--set", "network.hidden=[64]", "--members", "127.0.0.1:1")
        _, _, stderr = self.finish(bundle)
        self.assertIn("--members has 1 addresses; expected 0", stderr)
        self.stop(shard)


if __name__ == "__main__":
    program.main()
