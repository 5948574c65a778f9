"""A policy (learner.algorithm vtrace) as evaluations, players, pages and other programs see it."""

import json

import algorithms
import program
from dashboard_test import Served, get, wait_for
from network_test import OnTerminal

GREEDY = "greedy with sampled actions"


def train(case, run="run", *more):
    return case.run_program(
        "train", *program.TINY, "--frames", "3000", "--deterministic",
        *algorithms.overrides("vtrace"), *more, "--run-dir", run,
    )  # fmt: skip


class Scored(program.Case):
    def evaluate(self, *arguments):
        return json.loads(self.run_program("evaluate", "run", "--json", *arguments)[0])

    def test_the_way_of_acting_is_chosen_and_recorded(self):
        _, said = train(self)
        self.assertIn(f"protocol {GREEDY}", said)
        run = json.loads((self.folder / "run" / "evaluation.json").read_text())
        self.assertEqual((run["protocol"], run["act"], run["epsilon"]), (GREEDY, "sample", 0))
        report = (self.folder / "run" / "report.html").read_text()
        self.assertIn(GREEDY, report)
        self.assertIn("sampled actions; at most", report)

        self.assertEqual(self.evaluate()["returns"], run["returns"])
        self.assertEqual(self.evaluate("--act", "sample")["returns"], run["returns"])
        argmax = self.evaluate("--set", "evaluation.act=argmax")
        self.assertEqual((argmax["protocol"], argmax["act"]), ("greedy", "argmax"))
        self.assertNotEqual(argmax["returns"], run["returns"])
        self.assertEqual(self.evaluate("--act", "argmax"), argmax)

    def test_the_protocols_epsilon_is_not_applied_on_top_unless_it_is_set(self):
        train(self)
        sampled = self.evaluate("--protocol", "epsilon-0.05")
        self.assertEqual(
            (sampled["protocol"], sampled["epsilon"]),
            ("epsilon-0.05 with sampled actions instead of epsilon 0.05", 0),
        )
        self.assertEqual(sampled["returns"], self.evaluate()["returns"])
        stdout, _ = self.run_program(
            "evaluate", "run", "--protocol", "epsilon-0.05", "--set", "evaluation.epsilon=0.05"
        )
        self.assertIn("(protocol epsilon-0.05 with sampled actions and epsilon 0.05, ", stdout)
        stdout, _ = self.run_program("evaluate", "run", "--protocol", "epsilon-0.05", "--act", "argmax")
        self.assertIn("(protocol epsilon-0.05, ", stdout)

    def test_values_are_not_sampled_from(self):
        self.run_program("train", *program.TINY, "--frames", "2000", "--quiet", "--run-dir", "run")
        self.assertEqual(self.evaluate("--act", "argmax")["act"], "argmax")
        self.assert_refused(["evaluate", "run", "--act", "sample"], "evaluation.act", "double_dqn")

    def test_scores_of_both_ways_are_kept_apart(self):
        for seed in [1, 2]:
            train(self, f"runs/sampled{seed}", "--seed", seed)
        train(self, "runs/argmax", "--set", "evaluation.act=argmax")
        stdout, _ = self.run_program("scores", "runs")
        self.assertRegex(stdout, rf"classic/catch +{GREEDY} +2 ")
        self.assertRegex(stdout, r"classic/catch +greedy +1 ")
        # One network in both ways: printed evaluations have no settings that would tell them apart.
        for act in ["sample", "argmax"]:
            text, _ = self.run_program("evaluate", "runs/argmax", "--act", act, "--json")
            (self.folder / f"{act}.json").write_text(text)
        stdout, _ = self.run_program("scores", "sample.json", "argmax.json")
        self.assertRegex(stdout, rf"classic/catch +{GREEDY} +1 ")
        self.assertRegex(stdout, r"classic/catch +greedy +1 ")


class Played(OnTerminal):
    def test_the_agent_shows_its_probabilities(self):
        train(self)
        process = self.play("run", "--delay-ms", "20")
        seen = self.read_until(b"step 3")
        self.assertIn(b"Probabilities", seen)
        self.assertIn(b"agent, sampled: episode 1", seen)
        self.assertNotIn(b"Q-values", seen)
        self.assert_restored(process, 0)
        process = self.play("run", "--delay-ms", "20", "--set", "evaluation.act=argmax")
        self.read_until(b"agent, most likely action: episode 1")
        self.assert_restored(process, 0)


class Page(Served):
    def test_a_game_has_probabilities_and_says_how_it_is_played(self):
        train(self)
        train(self, "argmax", "--set", "evaluation.act=argmax")
        _, url = self.serve("run", "argmax")
        runs = json.loads(get(url + "api/runs")[2])["runs"]
        self.assertEqual([run["is_policy"] for run in runs], [True, True])
        self.assertEqual([run["evaluation"]["protocol"] for run in runs], [GREEDY, "greedy"])
        for query, act in [("run=0", "sample"), ("run=1", "argmax"), ("run=1&actor=0", "sample")]:
            game = wait_for(f"{url}api/game?{query}", "game")
            self.assertNotIn("q", game)
            self.assertEqual(game["act"], act, query)
            self.assertFalse(game["explores"])
            self.assertAlmostEqual(sum(game["probabilities"]), 1, places=5)
            if act == "argmax":
                self.assertEqual(game["probabilities"][game["chosen"]], max(game["probabilities"]))


if __name__ == "__main__":
    program.main()
