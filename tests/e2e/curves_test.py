"""What the dashboard's charts draw, computed by the page's own script in Node.js."""

import json
import math
import pathlib
import random
import shutil
import subprocess
import unittest

import program
from dashboard_test import Served, get

SERIES = program.SOURCE / "src/gorila/dashboard/page/series.js"
CASES = program.SOURCE / "src/gorila/metrics/chart_cases.json"
EPISODES = 100  # as in series.js


def node(driver, argument, given):
    """What `driver`, a script beside this one, prints of `given`; both are JSON."""
    if not shutil.which("node"):
        raise unittest.SkipTest("skipped: Node.js is not installed")
    printed = subprocess.run(
        ["node", pathlib.Path(__file__).with_name(driver), argument],
        input=json.dumps(given), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert printed.returncode == 0, printed.stderr
    return json.loads(printed.stdout)


def draw(rows, script=SERIES):
    return node("curves.js", script, rows)


def row_of(frames, returns, **more):
    """As the program logs the episodes that ended since the record before."""
    n = len(returns)
    mean = sum(returns) / n if n else None
    deviation = math.sqrt(sum((r - mean) ** 2 for r in returns) / (n - 1)) if n > 1 else None
    return {"kind": "training", "frames": frames, "return_episodes": n, "return_mean": mean,
            "return_standard_deviation": deviation, **more}  # fmt: skip


def pooled(rows):
    """Mean and half of the interval over the last episodes up to the last record, from the log's numbers."""
    wanted, parts = EPISODES, []
    for row in reversed(rows):
        taken = min(wanted, row["return_episodes"])
        if taken > 0:
            parts.append((taken, row["return_episodes"], row["return_mean"],
                          row["return_standard_deviation"] or 0.0))  # fmt: skip
        wanted -= taken
    count = EPISODES - wanted
    mean = sum(taken * m for taken, _, m, _ in parts) / count
    within = sum(taken * d * d * (n - 1) / n for taken, n, _, d in parts)
    between = sum(taken * (m - mean) ** 2 for taken, _, m, _ in parts)
    half = 1.96 * math.sqrt((within + between) / (count - 1) / count) if count > 1 else None
    return mean, half


class Curves(Served):
    def check(self, rows, script=SERIES):
        """Every point's mean is within the band that is drawn at it; both are of the same episodes."""
        drawn = draw(rows, script)
        ended = [row for row in rows if row["return_episodes"] > 0]
        self.assertEqual([p["x"] for p in drawn["points"]], [row["frames"] for row in ended])
        for i, point in enumerate(drawn["points"]):
            mean, half = pooled(ended[: i + 1])
            scale = max(1, abs(mean))
            self.assertAlmostEqual(point["y"] / scale, mean / scale, places=9)
            if half is None:
                self.assertNotIn("low", point)
                continue
            self.assertLessEqual(point["low"], point["y"])
            self.assertGreaterEqual(point["high"], point["y"])
            self.assertAlmostEqual((point["high"] - point["y"]) / scale, half / scale, places=9)
            self.assertAlmostEqual((point["y"] - point["low"]) / scale, half / scale, places=9)
        return drawn

    def test_of_a_run(self):
        self.run_program(
            "train", *program.TINY, "--quiet", "--run-dir", "run", "--frames", "12000",
            "--deterministic", "--set", "run.metrics_every_frames=200",
        )  # fmt: skip
        process, url = self.serve("run")
        (self.folder / "series.js").write_text(get(url + "series.js")[2])
        rows = json.loads(get(url + "api/rows?run=0")[2])["rows"]
        self.stop(process, expect=0)
        rows = [row for row in rows if row["kind"] == "training"]
        drawn = self.check(rows, self.folder / "series.js")
        self.assertGreater(len(drawn["points"]), 40)
        self.assertEqual(len(drawn["bands"]), 1)
        # A row without a measured norm is not a gap.
        measured = [row for row in rows if row["gradient_norm"] is not None]
        self.assertEqual(
            [(p["x"], p["y"]) for p in drawn["norm"]],
            [(row["frames"], row["gradient_norm"]) for row in measured],
        )

    def test_of_shapes_that_are_easily_drawn_wrong(self):
        rng = random.Random(4)
        shapes = {
            "single episodes": [[rng.random()] for _ in range(150)],
            "all alike": [[3.0] * 7 for _ in range(40)],
            "a leap": [[0.0] * 30] * 5 + [[1000.0] * 30] * 5,
            "more than the window in a row": [[rng.gauss(i, 5) for _ in range(250)] for i in range(9)],
            "uneven rows": [[rng.gauss(i, 1) for _ in range(rng.choice([0, 1, 2, 40, 130]))]
                            for i in range(60)],
            "large numbers": [[1e9 + rng.random() for _ in range(12)] for _ in range(30)],
            "two bundles of which one fails": [[-1.0] * 9 + [1.0] for _ in range(30)],
        }  # fmt: skip
        for name, shape in shapes.items():
            with self.subTest(name):
                self.check([row_of(10 * (i + 1), returns) for i, returns in enumerate(shape)])

    def test_a_band_ends_where_its_line_has_no_interval(self):
        rows = [row_of(i, [0.0, 1.0, 2.0]) for i in range(150)]
        for row in rows[60:62]:
            row["return_standard_deviation"] = None  # as a log of an older version has it
        drawn = draw(rows)
        without = [p["x"] for p in drawn["points"] if "low" not in p]
        self.assertEqual(without[0], 60)
        # The last 100 episodes are those of 34 rows.
        self.assertEqual([(b[0]["x"], b[-1]["x"]) for b in drawn["bands"]],
                         [(0, 59), (without[-1] + 1, 149)])  # fmt: skip

    def test_a_norm_that_is_measured_now_and_then_is_a_line_and_a_loss_that_diverged_is_not(self):
        rows = [row_of(i, [1.0], gradient_norm=2.0 if i % 3 == 0 else None,
                       loss=None if i == 5 else 0.5) for i in range(12)]  # fmt: skip
        drawn = draw(rows)
        self.assertEqual([p["x"] for p in drawn["norm"]], [0, 3, 6, 9])
        self.assertEqual([p["x"] for p in drawn["loss"] if p["y"] is None], [5])

    def test_a_moving_mean_is_of_the_points_before_and_keeps_gaps(self):
        rows = [row_of(10 * i, [float(i * i)] if i != 3 else []) for i in range(12)]
        moving = [point["y"] for point in draw(rows)["moving"]]
        self.assertIsNone(moving[3])
        self.assertEqual(moving[0], 0)
        self.assertEqual(moving[4], (0 + 1 + 4 + 16) / 4)
        self.assertEqual(moving[9], sum(i * i for i in range(5, 10)) / 5)

    def test_a_mean_of_runs_is_where_all_have_a_value_with_an_interval_over_runs(self):
        drawn = draw([row_of(10 * i, [float(i)]) for i in range(1, 21)])
        self.assertEqual((drawn["mean"][0]["x"], drawn["mean"][-1]["x"]), (10, 200))
        for point in drawn["mean"]:
            self.assertAlmostEqual(point["y"], point["x"] / 10 + 1)
            # Of two runs a resample has one of them twice, or both.
            self.assertAlmostEqual(point["low"], point["x"] / 10)
            self.assertAlmostEqual(point["high"], point["x"] / 10 + 2)
        self.assertEqual((drawn["short"][0]["x"], drawn["short"][-1]["x"]), (10, 30))
        self.assertEqual(drawn["empty"], [])
        self.assertNotIn("low", drawn["alone"][0])

    def test_records_beyond_the_limit_are_merged_and_keep_their_episodes(self):
        draws = random.Random(4)
        returns = [[draws.gauss(20, 5) for _ in range(draws.choice([0, 1, 9]))] for _ in range(300)]
        games = [{"a": row_of(i, some[:1]), "b": row_of(i, some[1:])} for i, some in enumerate(returns)]
        rows = [row_of(i, some, games=games[i], gradient_norm=i if i % 16 == 0 else None)
                for i, some in enumerate(returns)]  # fmt: skip
        thinned = draw(rows)["thinned"]
        self.assertLessEqual(len(thinned), 16)
        self.assertEqual(thinned[-4:], rows[-4:], "the newest stay as they are")
        self.assertEqual(sum(row.get("merged", 1) for row in thinned), 300)
        first = 0
        for row in thinned:
            count = row.get("merged", 1)
            some = returns[first : first + count]
            first += count
            self.assertEqual(row["frames"], first - 1)
            for part, of_part in [
                (row, sum(some, [])),
                (row["games"]["a"], sum([one[:1] for one in some], [])),
                (row["games"]["b"], sum([one[1:] for one in some], [])),
            ]:
                expected = row_of(0, of_part)
                self.assertEqual(part["return_episodes"], expected["return_episodes"])
                for name in ["return_mean", "return_standard_deviation"]:
                    self.assertAlmostEqual(part[name] or 0, expected[name] or 0, places=9)
            if count >= 16:
                self.assertEqual(row["gradient_norm"], (first - 1) // 16 * 16)

    def test_many_points_are_drawn_by_their_extremes(self):
        rng = random.Random(7)
        rows = [row_of(i, [rng.random()]) for i in range(300)]
        kept = draw(rows)["decimated"]
        self.assertLessEqual(len(kept), 12)
        for pixel in range(3):
            of_pixel = [row["return_mean"] for row in rows[100 * pixel : 100 * (pixel + 1)]]
            shown = [point["y"] for point in kept if point["x"] // 100 == pixel]
            self.assertEqual((min(shown), max(shown)), (min(of_pixel), max(of_pixel)))
            self.assertEqual((shown[0], shown[-1]), (of_pixel[0], of_pixel[-1]))

    def test_a_zoomed_line_reaches_the_edges(self):
        drawn = draw([row_of(10 * i, [1.0]) for i in range(1, 10)])
        self.assertEqual([point["x"] for point in drawn["part"]], [20, 30, 40, 50])

    def test_an_evaluation_is_placed_in_time_by_the_records_around_it(self):
        drawn = draw([row_of(10 * i, [1.0]) for i in range(1, 10)])
        self.assertEqual([row["seconds"] for row in drawn["timed"]], [50, 180])

    def test_an_entropy_is_drawn_only_of_records_that_have_it(self):
        without = [row_of(i, [1.0]) for i in range(4)]
        self.assertEqual(draw(without)["entropy"], [])
        of_policy = [row_of(i, [1.0], **({"entropy": 0.5} if i % 2 else {})) for i in range(4)]
        self.assertEqual([(p["x"], p["y"]) for p in draw(of_policy)["entropy"]],
                         [(1, 0.5), (3, 0.5)])  # fmt: skip


class SharedRules(unittest.TestCase):
    """The page keeps the cases that the reports' pictures keep (metrics/chart_cases_test.cc)."""

    @classmethod
    def setUpClass(cls):
        cls.cases = json.loads(CASES.read_text())
        cls.made = node("chart_cases.js", SERIES.parent, cls.cases)

    def each(self, section, at_least):
        self.assertGreaterEqual(len(self.cases[section]), at_least)
        for case, made in zip(self.cases[section], self.made[section], strict=True):
            with self.subTest(json.dumps(case)):
                yield case, made

    def assert_near(self, made, expected, within):
        self.assertEqual(len(made), len(expected), made)
        for a, b in zip(made, expected):
            if b is None:
                self.assertIsNone(a)
            else:
                self.assertAlmostEqual(a, b, delta=within)

    def test_ranges(self):
        self.assertEqual(self.made["padding"], self.cases["padding"])
        for case, made in self.each("ranges", 15):
            low, high = case["range"]
            self.assert_near(made, case["range"], 1e-9 * (high - low))

    def test_ticks(self):
        for case, made in self.each("room", 3):
            self.assertEqual(made, [case["across"], case["up"]])
        for case, made in self.each("ticks", 30):
            self.assertEqual([tick["label"] for tick in made], case["labels"])
            low, high = case["range"]
            self.assert_near([tick["value"] for tick in made], case["values"], 1e-9 * (high - low))

    def test_durations(self):
        for case, made in self.each("durations", 5):
            self.assertEqual(made, case["label"])

    def test_bands(self):
        for case, made in self.each("bands", 3):
            self.assertEqual(made, case["bands"])

    def test_means_over_runs_and_their_intervals(self):
        for case, made in self.each("means", 7):
            self.assertEqual(made["count"], case["count"])
            for name, end in zip(["first", "last"], made["ends"]):
                self.assert_near(end[:2], case[name][:2], 1e-9)
                self.assert_near(end[2:], case[name][2:], case["within"])

    def test_returns_over_episodes(self):
        for case, made in self.each("returns", 3):
            self.assertEqual(len(made), len(case["samples"]))
            for point, expected in zip(made, case["samples"]):
                self.assert_near(point, expected, 1e-9)


if __name__ == "__main__":
    program.main()
