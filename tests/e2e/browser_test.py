"""The dashboard and the reports in a real browser (Chromium, driven by playwright-core from npm).

Skipped, with the reason, where one of them is not there: tools/install_dependencies browser installs
them. With GORILA_SCREENSHOTS=FOLDER the pictures are kept.
"""

import csv
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import unittest

import algorithms
import games_metrics_test
import npm_packages
import program
from dashboard_test import ENDLESS, Served

PLAYWRIGHT = "playwright-core@1.65.1"
VISIT = pathlib.Path(__file__).parent / "browser" / "visit.mjs"
LOOK = pathlib.Path(__file__).parent / "browser" / "report.mjs"
FRAMES = 12000  # of each run in a folder
BROWSE = VISIT.with_name("browse.mjs")


def find_chromium():
    for name in ["chromium", "chromium-browser", "google-chrome"]:
        if path := shutil.which(name):
            return path
    raise unittest.SkipTest("skipped: Chromium is not installed")


def provide(script):
    npm_packages.provide("browser", VISIT.with_name("chromium.mjs"), PLAYWRIGHT)  # which it imports
    return npm_packages.provide("browser", script, PLAYWRIGHT)


class Visited(Served):
    SCRIPT = VISIT

    def setUp(self):
        super().setUp()
        self.chromium = find_chromium()
        self.script = provide(self.SCRIPT)
        self.screenshots = os.environ.get("GORILA_SCREENSHOTS", str(self.folder))

    def visit(self, url):
        process = subprocess.Popen(
            ["node", self.script, url, self.screenshots, self.chromium],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.addCleanup(program.stop_for_good, process)
        return process

    def read(self, process):
        line = process.stdout.readline()
        self.assertTrue(line, "" if line else process.stderr.read())
        return json.loads(line)


class Page(Visited):
    def test_a_policys_game_has_bars_of_probabilities(self):
        process = self.start(
            "train", *ENDLESS, *algorithms.overrides("vtrace"), "--env", "minatar/breakout",
            "--run-dir", "run", "--set", "run.metrics_every_seconds=0.3", "--dashboard=127.0.0.1:0",
        )  # fmt: skip
        alive = self.read(self.visit(self.url_of(process)))
        self.assertEqual(alive["errors"], [])
        self.assertEqual((alive["bars"], alive["barsTitle"]), (6, "Probabilities"))
        self.assertEqual(alive["valueTitle"], "Value (mean of V)")
        self.assertEqual(alive["actors"][0], "evaluated")
        self.assertRegex(alive["gameStatus"], " · sampled · ")

    def test_each_of_several_games_has_a_curve_and_is_chosen(self):
        process = self.start(
            "train", *games_metrics_test.ENDLESS, "--run-dir", "run", "--dashboard=127.0.0.1:0"
        )  # fmt: skip
        alive = self.read(self.visit(self.url_of(process)))
        self.assertEqual((alive["errors"], alive["unnamed"]), ([], 0))
        chosen = alive["chosen"]
        self.assertEqual(chosen["games"], ["breakout", "asterix"])
        self.assertEqual(chosen["gameCurves"], 2)
        self.assertEqual(chosen["curveTitle"], "Learning curve of asterix")
        self.assertEqual(chosen["returnTitle"], "Return, asterix")
        self.assertEqual((alive["bars"], chosen["bars"]), (3, 5))
        self.assertFalse(alive["overflows"], "the page is wider than a phone")

    def test_a_run_is_watched_to_its_end(self):
        # Four bundles of a game with colours, so that everything on the page has something to show.
        process = self.start(
            "train", *ENDLESS, "--env", "minatar/breakout", "--bundles", "4", "--run-dir", "run",
            "--set", "run.metrics_every_seconds=0.3", "--dashboard=127.0.0.1:0",
        )  # fmt: skip
        url = self.url_of(process)
        browser = self.visit(url)
        alive = self.read(browser)
        self.assertEqual(alive["errors"], [])
        self.assertEqual(alive["origins"], [url.rstrip("/")])
        self.assertEqual((alive["heading"], alive["state"]), ("minatar/breakout", "training"))
        self.assertEqual((alive["bars"], alive["barsTitle"]), (6, "Q-values"))
        self.assertEqual(alive["valueTitle"], "Value (mean of max Q)")
        self.assertRegex(alive["readout"], "^Loss, .*run: ")
        self.assertEqual(alive["unnamed"], 0)
        self.assertEqual(len(alive["labels"]), 9)
        self.assertEqual((alive["theme"], alive["themeAfterReload"]), ("dark", "dark"))
        self.assertFalse(alive["overflows"], "the page is wider than a phone")
        self.assertFalse(alive["bottleneckIsCut"])
        self.assertEqual(alive["curveGrew"], 0, "after a phone's width and back")

        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process)[0], 130)
        browser.stdin.write("the run has ended\n")
        browser.stdin.flush()
        ended = self.read(browser)
        self.assertIn("gorila dashboard", ended["notice"])
        self.assertEqual(ended["state"], "program ended")
        self.assertTrue(ended["curve"])
        self.assertEqual(ended["pageErrors"], [])
        browser.wait(timeout=program.DEADLINE)


class Report(program.Case):
    """gorila report's page, light and dark, on a desk and on a phone."""

    def look(self, page):
        chromium = find_chromium()
        script = provide(LOOK)
        pictures = os.environ.get("GORILA_SCREENSHOTS", str(self.folder))
        looked = subprocess.run(
            ["node", script, self.folder / page, pictures, chromium],
            capture_output=True, text=True, timeout=program.DEADLINE,
        )  # fmt: skip
        self.assertEqual(looked.returncode, 0, looked.stderr)
        return json.loads(looked.stdout)

    def train(self, name, *more):
        self.run_program(
            "train", *program.TINY, "--quiet", "--frames", "1000000000", "--seconds", "2.5",
            "--set", "run.metrics_every_seconds=0.05", "--set", "evaluation.every_frames=5000",
            "--set", "evaluation.periodic_episodes=5", "--run-dir", name, *more,
        )  # fmt: skip

    def assert_legible(self, seen):
        for name, page in seen.items():
            with self.subTest(name):
                self.assertFalse(page["overflows"])
                self.assertEqual((page["tooWide"], page["cut"]), ([], []))
                self.assertGreaterEqual(page["smallest"], 11)
        for width in ["390", "1280"]:
            light, dark = seen[f"{width}-light"], seen[f"{width}-dark"]
            self.assertEqual(light["titles"], dark["titles"])
            self.assertEqual((light["ground"], light["text"]),
                             (["rgb(255, 255, 255)"], ["rgb(38, 38, 38)"]))
            self.assertEqual((dark["ground"], dark["text"]),
                             (["rgb(29, 33, 43)"], ["rgb(232, 234, 238)"]))
            self.assertNotEqual(light["curve"], dark["curve"])

    def test_a_runs_charts_are_legible_on_a_phone_and_in_the_dark(self):
        self.train("run")
        seen = self.look("run/report.html")
        self.assert_legible(seen)
        self.assertEqual(seen["1280-light"]["pushed"], [], "all of a table is in view on a desk")
        for title in ["Loss", "Value", "Gradient norm", "Exploration"]:
            self.assertIn(title, seen["390-dark"]["titles"])

    def test_so_are_those_of_compared_runs(self):
        self.train("a-folder-whose-name-is-as-long-as-those-that-people-choose-for-their-runs/deep")
        self.train("b", "--set", "learner.n_step=1")
        self.run_program("report", "a-folder-whose-name-is-as-long-as-those-that-people-choose-for-their-runs/deep",
                         "b", "--html", "page.html")  # fmt: skip
        seen = self.look("page.html")
        self.assert_legible(seen)
        self.assertIn("Evaluations", seen["390-light"]["titles"])
        films = seen["1280-light"]["films"]
        self.assertEqual(films, [films[0]] * 2, "they are beside each other")


class Folder(Visited):
    """A folder of finished runs, and what somebody does with them."""

    SCRIPT = BROWSE

    def train(self, name, seed, *more):
        self.run_program(
            "train", *program.TINY, "--quiet", "--seed", seed, "--run-dir", f"runs/{name}",
            *program.DETERMINISTIC, *more,
        )  # fmt: skip

    def test_runs_are_searched_sorted_selected_and_compared(self):
        for seed in [1, 2]:
            self.train(f"alpha/seed{seed}", seed, "--set", "learner.n_step=1")
            self.train(f"beta/seed{seed}", seed, "--set", "learner.n_step=3")
        (self.folder / "runs" / "broken").mkdir()
        (self.folder / "runs" / "broken" / "config.toml").write_text("[run]\nframes = 'x'\n")
        process, url = self.serve("runs")
        browser = self.visit(url)
        seen = self.read(browser)
        runs = ["alpha/seed1", "alpha/seed2", "beta/seed1", "beta/seed2"]
        self.assertEqual((seen["all"], seen["shownAtFirst"]), (runs, runs))
        self.assertEqual(len(seen["notes"]), 1)
        self.assertRegex(seen["notes"][0], r"^1 run cannot be read: .*broken/config.toml:2")
        self.check_table(seen, runs)
        self.check_curves(seen)
        self.check_view(seen)
        shutil.move(self.folder / "runs" / "beta", self.folder / "elsewhere")
        shutil.copytree(self.folder / "elsewhere" / "seed1", self.folder / "runs" / "gamma")
        browser.stdin.write("gamma beta/seed1\n")
        browser.stdin.flush()
        after = self.read(browser)
        self.assertEqual(after["all"], [*runs, "gamma"])
        self.assertEqual(after["errors"], [])
        self.stop(process, expect=0)

    def check_table(self, seen, runs):
        self.assertEqual(seen["theme"], "dark")
        found = {name: sorted(of) if isinstance(of, list) else of
                 for name, of in seen["found"].items()}  # fmt: skip
        self.assertEqual(found, {"name": runs[2:], "setting": runs[2:], "nothing": [],
                                 "number": [runs[1], runs[3]], "cleared": 4})  # fmt: skip
        self.assertEqual((seen["ascending"], seen["descending"]), (runs, runs[::-1]))
        self.assertEqual(seen["sort"], "descending")
        self.assertEqual(seen["byKeys"], runs[:2])
        rows = list(csv.DictReader(io.StringIO(seen["tableCsv"])))
        self.assertEqual([row["run"] for row in rows], runs)
        self.assertEqual([row["learner.n_step"] for row in rows], ["1", "1", "3", "3"])
        self.assertEqual([row["state"] for row in rows], ["finished"] * 4)
        for row in rows:
            path = self.folder / "runs" / row["run"] / "evaluation.json"
            self.assertEqual(float(row["evaluation"]), json.loads(path.read_text())["mean"])
        self.assertEqual(seen["differences"], ["run.seed"])
        self.assertEqual(*seen["columns"], "values stand under their runs")
        self.assertFalse(seen["tableIsCut"])
        self.assertTrue(seen["help"])
        self.assertEqual(seen["unnamed"], 0)
        self.assertFalse(seen["overflows"], "the page is wider than a phone")

    def check_curves(self, seen):
        self.assertEqual(len(set(seen["colours"])), 2)
        self.assertEqual(seen["colourThatStays"], seen["colours"][1:])
        rows = list(csv.DictReader(io.StringIO(seen["curvesCsv"])))
        evaluations = [row for row in rows if row["kind"] == "evaluation"]
        self.assertEqual(len(evaluations), seen["evaluations"])
        self.assertEqual(seen["evaluations"], seen["errorBars"])
        self.assertGreaterEqual(len(evaluations), 2)
        self.assertEqual({row["kind"] for row in rows}, {"training", "evaluation"})
        self.assertEqual(len(seen["groups"]), 2)
        for group in seen["groups"]:
            self.assertRegex(group, r" n_step=[13] 2 runs · mean return ")
        self.assertEqual(seen["bands"], 2)
        self.assertIn("95 % bootstrap interval over runs", seen["note"])
        self.assertEqual(seen["updates"]["curves"], 4)
        self.assertGreaterEqual(seen["updates"]["evaluations"], 4)
        self.assertFalse(seen["hasTime"], "deterministic runs log no time")

    def check_view(self, seen):
        self.assertEqual(seen["smoothed"], {"text": "smoothed: 10", "chart": "smoothed: 10", "raw": 4})
        self.assertNotEqual(seen["zoomedTicks"], seen["ticks"])
        self.assertEqual(seen["ticksAfterDoubleClick"], seen["ticks"])
        zoomed = [float(row["frames"]) for row in csv.DictReader(io.StringIO(seen["zoomedCsv"]))]
        self.assertGreater(min(zoomed), FRAMES * 0.3)
        self.assertLess(max(zoomed), FRAMES * 0.95)
        after = seen["afterReload"]
        self.assertEqual((after["ticks"], after["hash"]), (seen["zoomedTicks"], seen["hash"]))
        self.assertEqual((after["logY"], after["selected"]), (True, 4))


if __name__ == "__main__":
    program.main()
