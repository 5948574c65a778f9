"""gorila scores: the published table, and ours beside it."""

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
            (["empty"], "empty", "no run directory"),
            (["bad.csv"], "bad.csv", "'game' and 'score'"),
            (["--starts", "never"], "--starts", "never"),
            (["--chart", "c.jpg"], "c.jpg", ".png"),
        ]:
            with self.subTest(arguments=arguments):
                self.assert_refused(["scores", *arguments], *fragments)


if __name__ == "__main__":
    program.main()
