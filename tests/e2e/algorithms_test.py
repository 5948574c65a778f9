"""Every algorithm from the command line: trained, killed and resumed, in processes, refused."""

import itertools
import json
import math

import program

ALGORITHMS = ["dqn", "double_dqn", "munchausen", "sarsa", "expected_sarsa", "c51", "qr_dqn", "iqn", "vtrace"]
ON_POLICY = ["--set", "replay.selector=queue", "--set", "replay.prefetch=false"]
EVERYTHING = [
    "--set", "network.dueling=true", "--set", "network.noise=0.3", "--set", "replay.selector=prioritized",
    "--set", "replay.importance_exponent_end=1", "--set", "learner.gradient_norm=5",
    "--set", "learner.double_selection=true", "--set", "learner.n_step=3",
]  # fmt: skip


# A global replay on Catch, for presets that are made for Atari.
TINY_GLOBAL = [
    "--env", "classic/catch", "--set", "network.preset=custom", "--set", "network.hidden=[32]",
    "--set", "replay.min_size=500", "--set", "replay.capacity=8000", "--set", "replay.insert_lead=1000",
    "--set", "evaluation.episodes=5", "--set", "evaluation.every_frames=0", "--set", "evaluation.best=false",
    "--set", "evaluation.protocol=greedy",
]  # fmt: skip


def keys(algorithm):
    on_policy = ON_POLICY if "sarsa" in algorithm or algorithm == "vtrace" else []
    return ["--set", f"learner.algorithm={algorithm}", *on_policy]


class Listed(program.Case):
    def test_the_table_names_every_algorithm_with_its_paper(self):
        stdout, _ = self.run_program("algorithms")
        rows = [line.split()[0] for line in stdout.splitlines()[1:] if line]
        self.assertEqual([row for row in rows if row in ALGORITHMS], ALGORITHMS)
        for words in ["Bellemare et al. 2017", "a queue", "Every backend computes"]:
            self.assertIn(words, stdout)


class Resumed(program.Case):
    """Killed and resumed, bit for bit as if nothing had happened."""

    RUN = [
        *program.TINY, *program.DETERMINISTIC, "--frames", "30000",
        "--set", "optimizer.decay_updates=3000", "--set", "checkpoint.every_frames=4000",
    ]  # fmt: skip

    def compare(self, *changes):
        self.assert_resumes_exactly([*self.RUN, *changes], 8000)

    def test_a_queue(self):
        self.compare(*keys("sarsa"), "--set", "learner.n_step=3")

    def test_unrolls(self):
        self.compare(*program.VTRACE, "--frames", "100000")  # a minibatch takes 80 of them

    def test_unrolls_of_which_some_are_drawn_again(self):
        self.compare(
            *program.VTRACE, "--frames", "100000", "--set", "replay.replayed_share=0.5", "--set", "actor.environments=3"
        )

    def test_distributions_with_every_option(self):
        self.compare(*keys("c51"), *EVERYTHING)

    def test_priorities_by_the_actors(self):
        self.compare(
            *keys("double_dqn"), "--set", "replay.selector=prioritized", "--set", "replay.initial_priorities=true",
            "--set", "learner.n_step=3", "--set", "actor.epsilon_spread=7",
        )  # fmt: skip

    def test_sampled_taus(self):
        self.compare(*keys("iqn"), "--set", "learner.taus=4")

    def test_noise_alone(self):
        self.compare(*keys("munchausen"), "--set", "network.noise=0.5")


class Learns(program.Case):
    """On Catch, where a random player scores -0.6 and the best 1."""

    def check(self, *changes):
        self.run_program(
            "train", *program.TINY, *program.DETERMINISTIC, "--frames", "30000", *changes,
            "--run-dir", "run", "--quiet",
        )  # fmt: skip
        stdout, _ = self.run_program("evaluate", "run", "--episodes", "100")
        score = float(stdout.split(" +- ")[0].split()[-1])
        self.assertGreater(score, 0.5, stdout)

    def test_c51(self):
        self.check(*keys("c51"), "--set", "learner.value_min=-1", "--set", "learner.value_max=1")

    def test_qr_dqn_with_everything(self):
        self.check(*keys("qr_dqn"), *EVERYTHING)

    def test_iqn_with_everything(self):
        self.check(*keys("iqn"), *EVERYTHING, "--set", "learner.taus=4", "--frames", "60000")

    def test_iqn(self):
        self.check(*keys("iqn"))
        self.run_program("export", "run", "--format", "safetensors")
        self.assert_refused(["export", "run", "--format", "onnx"], "learner.algorithm iqn", "npz or safetensors")

    def test_munchausen(self):
        self.check(*keys("munchausen"))

    def test_sarsa(self):
        self.check(*keys("sarsa"), "--set", "learner.batch_size=8", "--set", "actor.epsilon_end=0.05")


class CartPole(program.Case):
    """An actor-critic on CartPole, whose episodes end after 500 steps at the latest."""

    def training_rows(self):
        rows = map(json.loads, (self.folder / "run" / "metrics.jsonl").read_text().splitlines())
        return [row for row in rows if row["kind"] == "training"]

    def test_the_most_likely_actions_balance_the_pole(self):
        self.run_program(
            "train", "--env", "classic/cart_pole", "--deterministic", "--bundles", "1", *keys("vtrace"),
            "--set", "learner.unroll=20", "--set", "learner.batch_size=4", "--set", "learner.n_step=1",
            "--set", "learner.gradient_norm=0.5", "--set", "actor.epsilon_start=0", "--set", "actor.epsilon_end=0",
            "--set", "optimizer.learning_rate=0.002", "--set", "optimizer.learning_rate_end=0",
            "--set", "replay.capacity=60000", "--set", "evaluation.every_frames=0", "--set", "evaluation.best=false",
            "--set", "evaluation.act=argmax", "--frames", "400000", "--run-dir", "run", "--quiet",
        )  # fmt: skip
        stdout, _ = self.run_program("evaluate", "run", "--episodes", "100")
        score = float(stdout.split(" +- ")[0].split()[-1])
        self.assertGreaterEqual(score, 475, stdout)
        entropies = [row["entropy"] for row in self.training_rows()]
        self.assertLess(entropies[-1], entropies[0])
        for entropy in entropies:
            self.assertTrue(0 < entropy <= math.log(2) + 1e-6, entropy)


class Processes(program.Case):
    """A queue in the global replay: actors and learners as processes."""

    def test_a_launched_run_learns_from_each_transition_once(self):
        self.run_program(
            "launch", *program.TINY, *keys("expected_sarsa"), "--bundles", "0", "--set", "cluster.actors=2",
            "--set", "cluster.learners=1", "--set", "cluster.replays=1", "--set", "replay.insert_lead=400",
            "--frames", "8000", "--set", "evaluation.episodes=5", "--run-dir", "run", "--quiet",
        )  # fmt: skip
        rows = (self.folder / "run" / "metrics.jsonl").read_text().splitlines()
        row = [row for row in map(json.loads, rows) if row["kind"] == "training"][-1]
        self.assertGreaterEqual(row["frames"], 8000)
        # Batches of 32, and Catch's episodes of 9 steps end in a row that starts nothing.
        self.assertLessEqual(row["updates"], row["frames"] / 32)
        self.assertNotIn("entropy", row, "no policy is learnt")
        self.assertGreater(row["updates"], row["frames"] / 32 * 0.5)

    def test_bundles_report_the_entropy_of_their_policy(self):
        self.run_program(
            "launch", *program.TINY, *keys("vtrace"), "--bundles", "2", "--set", "learner.batch_size=4",
            "--set", "learner.n_step=1", "--frames", "4000", "--set", "evaluation.episodes=5", "--run-dir", "run", "--quiet",
        )  # fmt: skip
        rows = (self.folder / "run" / "metrics.jsonl").read_text().splitlines()
        row = [row for row in map(json.loads, rows) if row["kind"] == "training"][-1]
        self.assertTrue(0.5 < row["entropy"] <= math.log(3) + 1e-6, row["entropy"])
        self.assertGreater(row["baseline_loss"], 0)
        self.assertTrue(math.isfinite(row["policy_loss"]), row)

    def launch_vtrace(self, *changes, run="run", frames=16000):
        """The last training row of a run that learns from unrolls; it ends with a score."""
        self.run_program(
            "launch", *program.TINY, *program.VTRACE, "--bundles", "0", "--set", "cluster.actors=2",
            "--set", "cluster.replays=2", "--frames", frames, "--run-dir", run, "--quiet", *changes,
        )  # fmt: skip
        rows = (self.folder / run / "metrics.jsonl").read_text().splitlines()
        row = [row for row in map(json.loads, rows) if row["kind"] == "training"][-1]
        self.assertGreaterEqual(row["frames"], frames)
        self.assertTrue((self.folder / run / "evaluation.json").exists())
        return row

    def assert_updates(self, row, steps):
        """Each minibatch takes so many new time steps; a tenth of those is an episode's last, which is no frame."""
        most = row["frames"] / 0.9 / steps
        self.assertLessEqual(row["updates"], most + 1, row)
        self.assertGreater(row["updates"], most * 0.8, row)

    def test_a_launched_run_learns_from_each_unroll_once(self):
        for learners in [1, 2]:
            row = self.launch_vtrace("--set", f"cluster.learners={learners}", run=f"run-{learners}")
            self.assert_updates(row, 80)

    def test_a_launched_run_draws_half_of_its_unrolls_again(self):
        row = self.launch_vtrace("--set", "cluster.learners=1", "--set", "replay.replayed_share=0.5")
        self.assert_updates(row, 40)

    def test_apex_made_small(self):
        self.run_program(
            "launch", "--preset", "apex", *TINY_GLOBAL, "--set", "cluster.actors=2", "--set", "learner.batch_size=64",
            "--set", "replay.updates_per_step=0.02", "--frames", "8000", "--run-dir", "run", "--quiet",
        )  # fmt: skip
        rows = (self.folder / "run" / "metrics.jsonl").read_text().splitlines()
        row = [row for row in map(json.loads, rows) if row["kind"] == "training"][-1]
        self.assertGreater(row["updates"], 50)


class Refused(program.Case):
    def test_options_without_a_meaning_name_key_and_reason(self):
        for changes, words in [
            (["learner.algorithm=munchausen", "learner.double_selection=true"], ["double_selection", "none to choose"]),
            (["learner.algorithm=c51", "learner.value_min=10"], ["learner.value_min is 10", "value_max"]),
            (["learner.algorithm=c51", "learner.atoms=1"], ["learner.atoms is 1", "2"]),
            (["learner.atoms=33"], ["learner.atoms", "c51 or qr_dqn"]),
            (["learner.taus=33"], ["learner.taus", "expected iqn"]),
            (["learner.algorithm=iqn", "learner.atoms=33"], ["learner.atoms", "c51 or qr_dqn"]),
            (["learner.algorithm=sarsa"], ["replay.selector is uniform", "queue"]),
            (["learner.algorithm=vtrace"], ["replay.selector is uniform", "queue"]),
            (["learner.unroll=7"], ["learner.unroll", "expected vtrace"]),
            (["evaluation.act=sample"], ["evaluation.act is sample", "argmax"]),
            (["learner.algorithm=c15"], ["'c15'", "c51"]),
            (["replay.replayed_share=0.5"], ["replay.replayed_share is 0.5", "queue"]),
            (["parameter_server.encoding=topk"], ["topk", "float32"]),
        ]:
            sets = itertools.chain.from_iterable(("--set", change) for change in changes)
            self.assert_refused(["train", *program.TINY, *sets], *words)

    def test_a_run_keeps_the_algorithm_whose_outputs_it_has(self):
        self.run_program("train", *program.TINY, *program.DETERMINISTIC, "--frames", "4000", "--run-dir", "run", "--quiet")
        self.assert_refused(
            ["resume", "run", "--frames", "6000", "--set", "learner.algorithm=c51"],
            "learner.algorithm", "another meaning", "double_dqn",
        )  # fmt: skip
        self.assert_refused(
            ["resume", "run", "--frames", "6000", "--set", "network.dueling=true"], "network.dueling", "start a new run"
        )


if __name__ == "__main__":
    program.main()
