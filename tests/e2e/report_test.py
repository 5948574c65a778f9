"""gorila report: one page about runs."""

import base64
import html.parser
import json
import re

import program


class Reader(html.parser.HTMLParser):
    """Tables, pictures and addresses of a page; unbalanced tags fail."""

    EMPTY = {"meta", "img", "path", "rect", "use", "circle", "line"}

    def __init__(self, text):
        super().__init__()
        self.open, self.addresses, self.cells, self.headings = [], [], [], []
        self.ids = []
        self.feed(text)
        assert self.open == [], self.open

    def handle_starttag(self, tag, attributes):
        self.addresses += [v for k, v in attributes if k in ("src", "href", "xlink:href")]
        self.ids += [v for k, v in attributes if k == "id"]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.addresses += [v for k, v in attributes if k in ("src", "href", "xlink:href")]
        self.ids += [v for k, v in attributes if k == "id"]

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "strong", "th", "small"):
            self.cells.append(data)
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


class Page(program.Case):
    # Long enough for some rows: at most one every half second.
    LONGER = ["--frames", "1000000000", "--seconds", "2.5"]

    def train(self, name, seed, *more):
        self.run_program(
            "train", *program.TINY, "--quiet", "--seed", seed, "--run-dir", name,
            "--set", "run.metrics_every_seconds=0.05", *more,
        )  # fmt: skip

    def test_compares_groups_of_runs(self):
        for seed in [1, 2]:
            self.train(f"a{seed}", seed, *self.LONGER)
        self.train("b1", 1, *self.LONGER, "--set", "learner.n_step=1")
        before = program.snapshot(self.folder)
        stdout, _ = self.run_program(
            "report", "n3=a1", "n3=a2", "n1=b1/", "--html", "out.html", "--title", "A < B"
        )
        self.assertIn("report: out.html", stdout)
        text = (self.folder / "out.html").read_text()
        page = Reader(text)
        for heading in ["Groups", "Final evaluation", "Learning curves", "The agent", "Comparison",
                        "Counters", "Cost", "Configuration"]:  # fmt: skip
            self.assertIn(heading, page.headings)
        self.assertIn("<h1>A &lt; B</h1>", text)
        self.assertIn("At equal frames", text)
        self.assertIn("At equal wall time", text)
        self.assertIn("learner.n_step", re.findall("<code>(.*?)</code>", text))
        self.assertRegex(text, r"joules|RAPL")
        for address in page.addresses:
            self.assertRegex(address, "^(data:image/gif;base64,|#)")
        self.assertEqual(len(set(page.ids)), len(page.ids))
        self.assertIn("prefers-color-scheme: dark", text)
        self.assertIn('<path class="c-1" ', text)
        self.assertEqual(text.count("<style>"), 1)
        films = re.findall("data:image/gif;base64,([^\"]*)", text)
        self.assertEqual(len(films), 2)
        self.assertEqual(base64.b64decode(films[0]), (self.folder / "a1" / "episode.gif").read_bytes())
        (self.folder / "out.html").unlink()
        self.assertEqual(program.snapshot(self.folder), before)

    def test_a_file_among_runs_is_passed_over(self):
        self.train("runs/a", 1)
        (self.folder / "runs" / "a.log").write_text("beside it")
        _, stderr = self.run_program("report", "runs/a", "runs/a.log", "--html", "page.html")
        self.assertIn("'runs/a.log' is a file, not a run's folder: left out", stderr)
        self.assert_refused(["report", "runs/a.log", "--html", "page.html"], "is a file")

    def test_markdown_has_its_pictures_beside_it(self):
        self.train("a|b", 1, *self.LONGER)
        self.train("c", 1, *self.LONGER, "--set", "learner.n_step=1")
        (self.folder / "out").mkdir()
        stdout, _ = self.run_program("report", "a|b", "c", "--markdown", "out/page.md")
        self.assertIn("report: out/page.md", stdout)
        text = (self.folder / "out" / "page.md").read_text()
        for heading in ["Final evaluation", "Learning curves", "The agent", "Comparison", "Counters",
                        "Cost", "Configuration"]:  # fmt: skip
            self.assertIn(f"\n## {heading}\n", text)
        pictures = re.findall('<img alt="[^"]+" src="([^"]+)"', text)
        for name in ["page-frames.svg", "page-seconds.svg", "page-loss.svg", "page-value_mean.svg",
                     "page-gradient_norm.svg", "page-epsilon.svg", "page-episode-1.gif",
                     "page-episode-2.gif"]:  # fmt: skip
            self.assertIn(name, pictures)
        for name in pictures:
            begin = (self.folder / "out" / name).read_bytes()[:5]
            self.assertIn(begin, [b"<?xml", b"GIF89"], name)
        # Every row of a table has as many cells as its heading.
        for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
            cells = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
            self.assertEqual(len(cells), 1, table)

    def test_games_and_settings_are_never_averaged(self):
        for game in ["catch", "cart_pole"]:
            for seed in [1, 2]:
                self.train(f"{game}/seed{seed}", seed, "--env", f"classic/{game}", *self.LONGER)
        self.run_program(
            "report", "catch/seed1", "catch/seed2", "cart_pole/seed1", "cart_pole/seed2",
            "--markdown", "page.md", "--curve", "curves.svg",
        )  # fmt: skip
        text = (self.folder / "page.md").read_text()
        self.assertIn("# Training on classic/catch, classic/cart_pole", text)
        for game in ["catch", "cart_pole"]:
            svg = (self.folder / f"curves-classic-{game}.svg").read_text()
            self.assertIn(f"<title>classic/{game}</title>", svg)
            self.assertIn(f"; classic/{game}, 2 runs</desc>", svg)
        panels = (self.folder / "page-frames.svg").read_text()
        self.assertIn("; training, 2 runs; classic/catch; classic/cart_pole</desc>", panels)
        self.assertNotIn("## Comparison", text)
        self.assertRegex(text, r"(?s)## Groups.*### classic/catch.*\| 2 \|.*### classic/cart_pole")
        self.assertRegex(text, "(?s)## All games.*are not averaged")

    def test_seeds_axes_and_baselines(self):
        for name, seed, n_step in [("a", 1, 1), ("b", 2, 1), ("c", 1, 3), ("d", 1, 3)]:
            self.train(name, seed, *self.LONGER, "--set", f"learner.n_step={n_step}")
        report = ["report", "a", "b", "c", "d", "--markdown", "page.md", "--curve", "curve.svg"]
        stdout, _ = self.run_program(*report, "--x", "updates", "--statistic", "iqm", "--baseline", "n_step=3")
        self.assertIn("warning: c, d have the same settings and seed 1", stdout)
        text = (self.folder / "page.md").read_text()
        self.assertIn("| better than n_step=3 |", text)
        self.assertIn("IQM of the return after", text)
        self.assertIn("At equal updates", text)
        self.assertNotIn("At equal frames", text)
        self.assertTrue((self.folder / "page-updates.svg").exists())
        self.assertFalse((self.folder / "page-frames.svg").exists())
        self.assertIn("over updates by learners; n_step=1, 2 runs", (self.folder / "curve.svg").read_text())
        self.run_program(*report, "--over", "seconds")  # the older name
        self.assertIn("over time of training", (self.folder / "curve.svg").read_text())
        self.assert_refused([*report, "--x", "frames", "--over", "seconds"], "--x", "--over")
        self.assert_refused([*report, "--baseline", "n_step=2"], "'n_step=2'", "'n_step=1', 'n_step=3'")

    def test_every_finished_run_has_its_own_page(self):
        self.train("run", 1)
        page = Reader((self.folder / "run" / "report.html").read_text())
        self.assertIn("Cost", page.headings)
        self.assertNotIn("Comparison", page.headings)
        self.assertNotIn("Groups", page.headings)

    def test_an_unfinished_run_is_reported_as_far_as_it_came(self):
        self.train("run", 1)
        for name in ["evaluation.json", "report.json", "episode.gif"]:
            (self.folder / "run" / name).unlink()
        self.run_program("report", "run")
        self.assertIn("not finished", Reader((self.folder / "report.html").read_text()).cells)

    def test_damaged_runs_are_refused_in_one_line(self):
        self.assert_refused(["report", "none"], "none")
        self.train("run", 1)
        (self.folder / "run" / "metrics.jsonl").write_text("garbage\n")
        self.assert_refused(["report", "run"], "metrics.jsonl", "line 1")


class Commands(program.Case):
    """What a report says of how its runs came about."""

    TRAIN = ["train", *program.TINY, *program.DETERMINISTIC, "--frames", "4000", "--quiet"]

    def rows(self, run="run"):
        lines = (self.folder / run / "starts.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def page(self, run="run"):
        self.run_program("report", run)
        return (self.folder / "report.html").read_text()

    def test_a_resumed_run_lists_every_command_and_change(self):
        self.run_program(*self.TRAIN, "--run-dir", "run")
        first = (self.folder / "run" / "report.html").read_text()
        self.assertIn("<h2>Commands</h2>", first)
        self.assertNotIn("Settings that were changed", first)
        self.run_program("resume", "run", "--quiet", "--frames", "8000",
                         "--set", "optimizer.learning_rate=0.001")
        rows = self.rows()
        self.assertEqual([row["frames"] for row in rows], [0, 4000])
        self.assertRegex(rows[1]["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(rows[1]["changes"]["optimizer.learning_rate"],
                         {"before": "0.002", "after": "0.001"})
        self.assertEqual(set(rows[1]["changes"]), {"optimizer.learning_rate", "run.frames"})
        for text in [self.page(), (self.folder / "run" / "report.html").read_text()]:
            self.assertIn("<code>gorila train ", text)
            self.assertIn("<code>gorila resume run ", text)
            self.assertRegex(text, r"<code>optimizer.learning_rate</code></th><td>4,000</td>"
                                   r"<td><code>0.002</code></td><td><code>0.001</code></td>")
        self.run_program("report", "run", "--markdown", "page.md")
        self.assertIn("| <code>run.frames</code> | 4,000 | <code>4000</code> | <code>8000</code> |",
                      (self.folder / "page.md").read_text())
        # The result of a finished run is shown, not trained.
        self.run_program("resume", "run", "--quiet")
        self.assertEqual(len(self.rows()), 2)

    def test_a_resume_that_loses_what_was_logged_loses_no_command(self):
        process = self.start(*self.TRAIN, "--run-dir", "run", "--frames", "1000000000")
        self.kill_at_checkpoint(process, self.folder / "run", 1600)
        process = self.start("resume", "run", "--set", "optimizer.learning_rate=0.001")
        # Killed before another checkpoint: what it logged is cut off.
        self.wait_until(lambda: len(self.rows()) == 2, process)
        process.kill()
        self.finish(process)
        process = self.start("resume", "run")
        self.wait_until(lambda: len(self.rows()) == 3, process)
        process.kill()
        self.finish(process)
        self.assertEqual([list(row["changes"]) for row in self.rows()],
                         [[], ["optimizer.learning_rate"], []])

    def test_a_run_of_an_older_version_shows_what_is_known(self):
        self.run_program(*self.TRAIN, "--run-dir", "run")
        (self.folder / "run" / "starts.jsonl").unlink()
        text = self.page()
        self.assertIn("recorded no other commands", text)
        self.assertIn("<code>gorila train ", text)
        self.run_program("resume", "run", "--quiet", "--frames", "8000")
        text = self.page()
        self.assertIn("trained the first 4,000 frames", text)
        self.assertIn("<code>run.frames</code>", text)
        with open(self.folder / "run" / "starts.jsonl", "a") as starts:
            starts.write("damaged\n")
        self.assert_refused(["report", "run"], "starts.jsonl", "line 2")


if __name__ == "__main__":
    program.main()
