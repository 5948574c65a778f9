"""gorila scores: the published table, and ours beside it."""

import csv
import json

import program


class Table(program.Case):
    def test_published_scores_need_no_results(self):
        stdout, _ = self.run_program("scores")
        for fragment in ["human - random (signed)", "41 of 49", "31 of 49", "495.2", "215.2"]:
            self.assertIn(fragment, stdout)
        stdout, _ = self.run_program("scores", "--denominator", "absolute", "--starts", "human")
        self.assertIn("293.0", stdout)
        self.assertNotIn("null-op starts", stdout)

    def test_results_become_a_table_and_a_picture(self):
        (self.folder / "mine.csv").write_text("game,protocol,score\npong,noop30,20.5\n")
        stdout, stderr = self.run_program(
            "scores", "mine.csv", "--chart", "c.png", "--csv", "t.csv", "--markdown", "t.md"
        )
        self.assertIn("20.5", stdout)
        self.assertEqual(stderr.count("written: "), 3)
        self.assertTrue((self.folder / "c.png").read_bytes().startswith(b"\x89PNG"))
        self.assertEqual((self.folder / "t.csv").read_text().count("\n"), 50)
        self.assertIn("| pong |", (self.folder / "t.md").read_text())

    def test_a_result_named_twice_is_refused(self):
        (self.folder / "mine.csv").write_text("game,protocol,score\npong,noop30,20.5\n")
        self.assert_refused(["scores", "mine.csv", "./mine.csv"], "'./mine.csv' is named twice")
        (self.folder / "runs").mkdir()
        for seed in ["1", "2"]:
            self.run_program("train", *program.TINY, "--frames", "2000", "--seed", seed, "--quiet",
                             "--run-dir", f"runs/{seed}")  # fmt: skip
        self.run_program("scores", "runs")
        _, stderr = self.run_program("scores", "runs", "runs/2", expect=2)
        self.assertIn("'runs/2' is in 'runs' too; it would count twice", stderr)

    def test_runs_are_read_by_their_evaluation(self):
        run = self.folder / "runs" / "a"
        self.run_program("train", *program.TINY, "--frames", "2000", "--run-dir", run)
        mean = json.loads((run / "evaluation.json").read_text())["mean"]
        stdout, _ = self.run_program("scores", "runs")
        self.assertIn("classic/catch", stdout)
        self.assertIn(f"{mean:.2f}", stdout)

    def test_different_settings_are_never_averaged(self):
        for name, seed, *more in [("a/seed1", 1), ("a/seed2", 2), ("b", 1, "--set", "learner.n_step=1")]:
            self.run_program(
                "train", *program.TINY, "--frames", "2000", "--seed", seed, "--run-dir", f"runs/{name}",
                *more,
            )  # fmt: skip
        mean = lambda run: json.loads((self.folder / "runs" / run / "evaluation.json").read_text())["mean"]
        stdout, _ = self.run_program("scores", "runs")
        both = (mean("a/seed1") + mean("a/seed2")) / 2
        self.assertRegex(stdout, rf"classic/catch +greedy +learner.n_step=3 +2 +{both:.2f} ")
        self.assertRegex(stdout, rf"classic/catch +greedy +learner.n_step=1 +1 +{mean('b'):.2f} ")
        for name, score in [("mine.csv", 20), ("other.csv", -20)]:
            (self.folder / name).write_text(f"game,score\npong,{score}\n")
        self.assert_refused(
            ["scores", "mine.csv", "other.csv", "--csv", "t.csv"],
            "pong by protocol noop30", "mine.csv", "other.csv", "not averaged",
        )  # fmt: skip

    def test_bad_input(self):
        (self.folder / "empty").mkdir()
        (self.folder / "bad.csv").write_text("a,b\n1,2\n")
        for arguments, *fragments in [
            (["nowhere"], "nowhere", "no such file"),
            (["empty"], "empty", "has no run in it or below"),
            (["bad.csv"], "bad.csv", "'game' and 'score'"),
            (["--starts", "never"], "--starts", "never"),
            (["--chart", "c.jpg"], "c.jpg", ".png"),
        ]:
            with self.subTest(arguments=arguments):
                self.assert_refused(["scores", *arguments], *fragments)


# A run of a MinAtar game with a small network.
MINATAR = [
    *program.TINY, "--env", "minatar/breakout", "--frames", "1600", "--deterministic", "--quiet",
    "--set", "run.metrics_every_frames=400",
]  # fmt: skip


class MinAtar(program.Case):
    def train(self, run, *more):
        self.run_program("train", *MINATAR, "--run-dir", run, *more)
        return self.folder / run

    @staticmethod
    def training_rows(run):
        rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        return [row for row in rows if row["kind"] == "training"]

    def lengthen(self, run, frames, mean, epsilon=0.1):
        """Appends rows of a training that reached so many frames."""
        with open(run / "metrics.jsonl", "a") as log:
            for reached in range(500_000, frames + 1, 500_000):
                row = {"kind": "training", "frames": reached, "return_episodes": 20,
                       "return_mean": mean, "epsilon": epsilon}  # fmt: skip
                log.write(json.dumps(row) + "\n")

    def rows(self, *arguments):
        self.run_program("scores", "minatar", *arguments, "--csv", "t.csv")
        return list(csv.DictReader((self.folder / "t.csv").read_text().splitlines()))

    def test_published_scores_need_no_runs(self):
        stdout, _ = self.run_program("scores", "minatar")
        for game in ["asterix", "breakout", "freeway", "seaquest", "space_invaders"]:
            self.assertIn(f"minatar/{game}, training return", stdout)
            self.assertIn(f"minatar/{game}, evaluation", stdout)
        self.assertIn("Young & Tian 2019", stdout)
        self.assertNotIn("ours:", stdout)

    def test_a_short_run_is_not_compared_and_has_its_training_return(self):
        run = self.train("run")
        ours = [row for row in self.rows("run") if row["whose"] == "ours"]
        published = [row for row in self.rows("run") if row["whose"] == "published"]
        self.assertEqual(published, [])
        training, evaluation = ours
        rows = self.training_rows(run)
        episodes = sum(row["return_episodes"] for row in rows)
        self.assertGreater(episodes, 0)
        sums = [row["return_episodes"] * row["return_mean"] for row in rows if row["return_episodes"]]
        self.assertAlmostEqual(float(training["mean"]), sum(sums) / episodes)
        self.assertAlmostEqual(float(training["epsilon"]), rows[-1]["epsilon"])
        self.assertEqual(training["measure"], "training")
        self.assertEqual(training["comparable"], "no")
        self.assertIn("1.60k frames (published: 5.00M, 10.0M)", training["notes"])
        mean = json.loads((run / "evaluation.json").read_text())["mean"]
        self.assertEqual(evaluation["measure"], "evaluation")
        self.assertAlmostEqual(float(evaluation["mean"]), mean)

    def test_seeds_stand_beside_published_scores_of_as_many_frames(self):
        for seed, mean in [(1, 10), (2, 14)]:
            self.lengthen(self.train(f"runs/seed{seed}", "--seed", seed), 5_000_000, mean)
        training = [row for row in self.rows("runs") if row["measure"] == "training"]
        self.assertEqual(training[0]["whose"], "ours")
        self.assertEqual(training[0]["comparable"], "yes")
        self.assertEqual(float(training[0]["mean"]), 12)
        self.assertEqual(training[0]["runs"], "2")
        self.assertLess(float(training[0]["low"]), 10)
        self.assertEqual({row["frames"] for row in training[1:]}, {"5000000"})
        self.assertIn(("DQN", "Young & Tian 2019"), [(row["agent"], row["source"]) for row in training])
        self.assertFalse([row for row in training if "MinAtar-Faster" in row["source"]])
        stdout, _ = self.run_program("scores", "minatar", "runs", "--markdown", "t.md")
        self.assertRegex(stdout, r"ours: double_dqn .* 5\.00M +2 +12\.00 +\[.*\] +0\.1 +runs\n")
        self.assertIn("| DQN | 5.00M | 30 |", (self.folder / "t.md").read_text())

    def test_another_protocol_is_not_compared(self):
        for name, setting, fragment in [
            ("sticky", "environment.sticky_actions=0", "sticky actions 0 (published: 0.1)"),
            ("minimal", "environment.minimal_actions=true", "the minimal action set (published"),
        ]:
            self.lengthen(self.train(name, "--set", setting), 5_000_000, 10)
            training = [row for row in self.rows(name) if row["measure"] == "training"]
            self.assertEqual(len(training), 1)
            self.assertEqual(training[0]["comparable"], "no")
            self.assertIn(fragment, training[0]["notes"])

    def test_unfinished_runs_and_other_games_are_left_out(self):
        self.train("runs/a")
        (self.train("runs/b", "--seed", "2") / "evaluation.json").unlink()
        self.run_program("train", *program.TINY, "--frames", "2000", "--run-dir", "runs/catch")
        stdout, stderr = self.run_program("scores", "minatar", "runs")
        self.assertIn("runs: 1 runs are not finished and left out", stderr)
        self.assertIn("runs: 1 runs of other games are left out", stderr)
        self.assertNotIn("classic/catch", stdout)
        self.assert_refused(["scores", "minatar", "runs/catch"], "runs/catch", "no run of a MinAtar game")
        self.assert_refused(["scores", "minatar", "runs", "runs/a"], "'runs/a' is named twice")

    def test_bad_input(self):
        (self.folder / "empty").mkdir()
        (self.folder / "a.csv").write_text("game,score\n")
        for arguments, *fragments in [
            (["minatar", "nowhere"], "nowhere", "no such file"),
            (["minatar", "empty"], "empty", "has no run in it or below"),
            (["minatar", "a.csv"], "a.csv", "expected a run's folder"),
            (["empty", "minatar"], "'empty' before 'minatar'", "./minatar"),
            (["--starts", "noop", "minatar"], "'--starts' before 'minatar'"),
        ]:
            with self.subTest(arguments=arguments):
                self.assert_refused(["scores", *arguments], *fragments)


if __name__ == "__main__":
    program.main()
