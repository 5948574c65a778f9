"""gorila runs, label and config --diff, and gorila report of a folder."""

import csv
import io
import json
import os
import shutil

import program


class Runs(program.Case):
    """Two seeds of one setting and a run of another, in folders as a researcher has them."""

    def train(self, name, seed, *more, frames=1500):
        self.run_program(
            "train", *program.TINY, "--quiet", "--frames", frames, "--seed", seed, "--run-dir", name,
            "--set", "run.metrics_every_seconds=0.05", "--set", "evaluation.episodes=4", *more,
        )  # fmt: skip

    def table(self, *arguments, expect=0):
        """The rows below the heading, as lists of cells; cells have no two spaces in a row."""
        stdout, _ = self.run_program("runs", *arguments, expect=expect)
        return [[cell for cell in line.split("  ") if cell] for line in stdout.splitlines()[1:]]

    def names(self, *arguments, **options):
        return [row[0] for row in self.table(*arguments, **options)]


class Listed(Runs):
    def setUp(self):
        super().setUp()
        self.train("runs/n3/seed1", 1)
        for other in ["runs/n3/seed2", "runs/n3/seed10"]:
            shutil.copytree(self.folder / "runs/n3/seed1", self.folder / other)
            config = self.folder / other / "config.toml"
            seed = other.removeprefix("runs/n3/seed")
            config.write_text(config.read_text().replace("\nseed = 1\n", f"\nseed = {seed}\n"))
        self.train("runs/n1", 1, "--set", "learner.n_step=1", "--tag", "small")
        (self.folder / "runs/n1/evaluation.json").unlink()

    def test_shows_states_scores_and_the_settings_that_differ(self):
        stdout, stderr = self.run_program("runs")
        self.assertEqual(stderr, "")
        heading, *rows = stdout.splitlines()
        for column in ["run", "game", "settings", "seed", "frames", "state", "score", "kind", "when", "tags"]:
            self.assertIn(column, heading.split())
        self.assertEqual(
            [row.split()[0] for row in rows],
            ["runs/n1", "runs/n3/seed1", "runs/n3/seed2", "runs/n3/seed10"],
        )
        for fragment in ["learner.n_step=1", "stopped", "evaluation", "small"]:
            self.assertIn(fragment, rows[0])
        for fragment in ["classic/catch", "learner.n_step=3", "finished", "final", " +- "]:
            self.assertIn(fragment, rows[1])
        self.assertRegex(rows[1], r" 1\.5\dk ", "a run passes its frames by a few")

    def test_filters_sorts_and_limits(self):
        names = self.names
        self.assertEqual(names("--filter", "state=stopped"), ["runs/n1"])
        self.assertEqual(names("runs", "--filter", "learner.n_step=1"), ["runs/n1"])
        self.assertEqual(names("--filter", "tag=small", "--filter", "game=catch"), ["runs/n1"])
        self.assertEqual(names("--sort", "-seed", "--limit", "1"), ["runs/n3/seed10"])
        self.assertEqual(names("--sort=-learner.n_step")[-1], "runs/n1")
        stdout, stderr = self.run_program("runs", "--filter", "frames>1M")
        self.assertEqual((stdout, stderr), ("", "none of 4 runs matches\n"))

    def test_groups_seeds(self):
        rows = self.table("--group", "--filter", "state=finished")
        self.assertEqual(len(rows), 1)
        self.assertIn("3 finished", [cell.strip() for cell in rows[0]])
        groups = json.loads(self.run_program("runs", "--group", "--statistic", "iqm", "--json")[0])["groups"]
        self.assertEqual([len(group["runs"]) for group in groups], [1, 3])
        self.assertEqual([group["kind"] for group in groups], ["evaluation", "final"])
        self.assertEqual(groups[1]["statistic"], "IQM")

    def test_csv_and_json_have_the_same_runs(self):
        rows = list(csv.DictReader(io.StringIO(self.run_program("runs", "--csv")[0])))
        runs = json.loads(self.run_program("runs", "--json")[0])["runs"]
        self.assertEqual([row["run"] for row in rows], [run["run"] for run in runs])
        self.assertEqual([row["learner.n_step"] for row in rows], ["1", "3", "3", "3"])
        self.assertEqual(float(rows[1]["score"]), runs[1]["score"]["value"])
        self.assertEqual(runs[0]["tags"], ["small"])
        self.assertEqual(runs[0]["settings"]["learner.n_step"], 1)

    def test_unreadable_runs_are_one_line_and_the_others_are_listed(self):
        for i in range(20):
            (self.folder / f"runs/bad{i}").mkdir()
            (self.folder / f"runs/bad{i}/config.toml").write_text("x")
        stdout, stderr = self.run_program("runs", expect=1)
        self.assertEqual(len(stdout.splitlines()), 5)
        self.assertEqual(stderr.count("\n"), 1)
        self.assertIn("20 of 24 runs cannot be read: runs/bad0", stderr)
        self.assertEqual(len(self.table("--filter", "state=unreadable", expect=1)), 20)

    def test_what_cannot_be_listed_is_refused_in_one_line(self):
        self.assert_refused(["runs", "none"], "none", "gorila train")
        (self.folder / "empty").mkdir()
        self.assert_refused(["runs", "empty"], "has no run in it", "config.toml", "gorila train")
        self.assert_refused(["runs", "--filter", "frame>1"], "--filter 'frame>1'", "did you mean 'frames'")
        self.assert_refused(["runs", "--sort", "nothing"], "--sort", "unknown column 'nothing'")
        self.assert_refused(["runs", "--csv", "--json"], "not both")


class Labelled(Runs):
    def labels(self, run):
        return (self.folder / run / "labels.toml").read_text()

    def test_labels_of_training_are_kept_by_a_resumed_run_and_shown(self):
        self.train("a", 1, "--name", "fr\u00fch", "--note", "a note", "--tag", "x", "--tag", "y")
        self.assertIn('name = "fr\u00fch"', self.labels("a"))
        before = self.labels("a")
        self.run_program("resume", "a", "--quiet", "--frames", "2000")
        self.assertEqual(self.labels("a"), before)
        self.assertNotIn("a note", (self.folder / "a/config.toml").read_text())
        stdout, _ = self.run_program("runs", "a")
        for fragment in ["fr\u00fch", "a note", "x,y"]:
            self.assertIn(fragment, stdout)
        self.assertIn("fr\u00fch", self.run_program("report", "a")[0])

    def test_labels_change_later(self):
        for run in ["a", "b"]:
            self.train(run, 1)
        self.assertEqual(self.run_program("label", "a")[0], "a: no labels\n")
        self.run_program("label", "a", "b", "--tag", "base", "--tag", "old", "--note", "n")
        self.run_program("label", "a", "--name", "first", "--untag", "old", "--note", "")
        self.assertEqual(self.run_program("label", "a", "b")[0],
                         "a: name 'first'; tag base\nb: tags base, old; note 'n'\n")  # fmt: skip
        self.assertEqual(self.names(".", "--filter", "tag=old"), ["./b"])

    def test_what_is_no_label_is_refused_before_anything_is_made(self):
        for flags, fragment in [
            (["--name", "a\nb"], "control character"),
            (["--name", "x" * 101], "at most 100"),
            (["--tag", "two words"], "without spaces"),
            (["--note", b"\xff"], "UTF-8"),
        ]:
            flags = [os.fsdecode(flag) for flag in flags]
            self.assert_refused(["train", "--run-dir", "new", *flags], fragment)
        self.train("a", 1)
        self.assert_refused(["label", "a", "--untag", "none"], "no run here has the tag 'none'")
        self.assert_refused(["label", "none", "--tag", "x"], "no such folder")
        shutil.copytree(self.folder / "a", self.folder / "b")
        self.assert_refused(["label", "a", "b", "--name", "x"], "cannot have one name")
        (self.folder / "a/labels.toml").write_text("nonsense")
        self.assert_refused(["label", "a", "--tag", "x"], "labels.toml", "line 1")


class Compared(Runs):
    def test_config_diff_prints_a_line_for_each_key_that_differs(self):
        self.train("a", 1)
        self.train("b", 2, "--set", "learner.n_step=1")
        lines = self.run_program("config", "--diff", "a", "b", expect=1)[0].splitlines()
        self.assertEqual([line.split() for line in lines],
                         [["key", "a", "b"], ["run.seed", "1", "2"], ["learner.n_step", "3", "1"]])  # fmt: skip
        self.assertEqual(self.run_program("config", "--diff", "a", "a/config.toml")[0], "no key differs\n")
        self.assertIn("algorithm", self.run_program("config", "--diff", "minatar", "dqn", expect=1)[0])
        self.assert_refused(["config", "--diff", "a", "minata"], "minata", "did you mean 'minatar'")
        self.assert_refused(["config", "--diff", "a", "b", "--set", "run.seed=1"], "--set")
        (self.folder / "empty").mkdir()
        self.assert_refused(["config", "--diff", "a", "empty"], "empty", "config.toml")

    def test_a_report_takes_all_runs_of_a_folder(self):
        for seed in [1, 2]:
            self.train(f"runs/deep/seed{seed}", seed)
        stdout, stderr = self.run_program("report", "runs")
        self.assertEqual(stderr, "")
        for fragment in ["runs/deep/seed1", "runs/deep/seed2", "report.html"]:
            self.assertIn(fragment, stdout)
        for i in range(30):
            (self.folder / f"runs/bad{i}").mkdir()
            (self.folder / f"runs/bad{i}/config.toml").write_text("x")
        stdout, stderr = self.run_program("report", "runs", expect=1)
        self.assertIn("report.html", stdout)
        self.assertEqual(stderr.count("\n"), 1)
        self.assertIn("30 of 32 runs cannot be read", stderr)
        self.assert_refused(["report", "runs/bad0"], "config.toml")
        self.assert_refused(["report", "runs/deep", "runs/deep/seed1"], "named twice")
        (self.folder / "empty").mkdir()
        self.assert_refused(["report", "empty"], "'empty'", "no run below it")


if __name__ == "__main__":
    program.main()
