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

    def test_runs_are_read_by_their_evaluation(self):
        run = self.folder / "runs" / "a"
        self.run_program("train", *program.TINY, "--frames", "2000", "--run-dir", run)
        mean = json.loads((run / "evaluation.json").read_text())["mean"]
        stdout, _ = self.run_program("scores", "runs")
        self.assertIn("classic/catch", stdout)
        self.assertIn(f"{mean:.2f}", stdout)

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
