"""gorila report's statistics over seeds, checked against exact enumeration of every resample.

Written from the definitions alone (Agarwal et al. 2021), with fractions, so that nothing is shared with the program.
"""

import fractions
import itertools
import json
import re
import shutil

import program

# By game and learner.n_step: one score a seed. Ties on purpose.
SCORES = {
    "minatar/breakout": {1: [7, 12, 31], 3: [12, 12, 40]},
    "minatar/asterix": {1: [5, 20], 3: [9, 20]},
}
# Between random play and the DQN of Young & Tian 2019.
REFERENCES = {"minatar/breakout": ("0.51", "10"), "minatar/asterix": ("0.49", "17")}
MONTE_CARLO = 0.012  # more than three standard errors of a 2.5 % quantile's level in 2,000 resamples


def mean(weighted):
    return sum(value * weight for value, weight in weighted) / sum(weight for _, weight in weighted)


def interquartile_mean(weighted):
    """Cut a quarter of the weight off both ends."""
    total = sum(weight for _, weight in weighted)
    middle, end = [], fractions.Fraction(0)
    for value, weight in sorted(weighted):
        begin, end = end, end + weight
        inside = min(end, total * 3 / 4) - max(begin, total / 4)
        if inside > 0:
            middle.append((value, inside))
    return mean(middle)


def weighted(games):
    """Each game counts the same."""
    return [(score, fractions.Fraction(1, len(runs))) for runs in games for score in runs]


def resamples(games):
    """Every way to draw each game's runs again, all equally likely."""
    return itertools.product(*(itertools.product(runs, repeat=len(runs)) for runs in games))


def better(x, y):
    """The mean over games of P(X > Y) + P(X = Y) / 2."""
    games = []
    for one, other in zip(x, y, strict=True):
        wins = sum(2 * (a > b) + (a == b) for a in one for b in other)
        games.append(fractions.Fraction(wins, 2 * len(one) * len(other)))
    return sum(games) / len(games)


class Reference(program.Case):
    def setUp(self):
        super().setUp()
        self.run_program("train", *program.TINY, "--quiet", "--run-dir", "run")
        self.runs = []
        for game, groups in SCORES.items():
            for n_step, scores in groups.items():
                for seed, score in enumerate(scores, 1):
                    self.add_run(game, n_step, seed, score)
        self.run_program("report", *self.runs, "--markdown", "page.md")
        self.text = (self.folder / "page.md").read_text()

    def add_run(self, game, n_step, seed, score):
        """The trained run as if it had been another game's, with another score."""
        name = f"{game}/{n_step}/{seed}"
        shutil.copytree(self.folder / "run", self.folder / name)
        path = self.folder / name / "config.toml"
        text = path.read_text().replace('"classic/catch"', f'"{game}"')
        text = re.sub("(?m)^seed = .*$", f"seed = {seed}", text)
        path.write_text(re.sub("(?m)^n_step = .*$", f"n_step = {n_step}", text))
        path = self.folder / name / "evaluation.json"
        evaluation = json.loads(path.read_text())
        evaluation["returns"] = [score] * len(evaluation["returns"])
        path.write_text(json.dumps(evaluation))
        self.runs.append(name)

    def section(self, heading):
        return re.search(rf"(?ms)^#+ {heading}\n(.*?)(?=^#|\Z)", self.text)[1]

    def cells(self, heading, label):
        for line in self.section(heading).splitlines():
            if line.startswith(f"| {label} |"):
                return [cell.strip() for cell in line.strip("|").split("|")]
        return self.fail(f"{label} has no row below {heading}")

    def assert_estimate(self, cell, value, distribution):
        """`cell` is "value [low, high]"; the exact bootstrap distribution gives the levels of both ends."""
        shown, low, high = (float(number) for number in re.findall(r"-?\d+\.\d+", cell))
        self.assertAlmostEqual(shown, float(value), delta=0.0051)
        values = [float(resampled) for resampled in distribution]
        for end, level in [(low, 0.025), (high, 0.975)]:
            below = sum(v < end - 0.0051 for v in values) / len(values)
            up_to = sum(v <= end + 0.0051 for v in values) / len(values)
            self.assertLessEqual(below, level + MONTE_CARLO, cell)
            self.assertGreaterEqual(up_to, level - MONTE_CARLO, cell)

    def test_of_one_game(self):
        for game, groups in SCORES.items():
            for n_step, scores in groups.items():
                cells = self.cells(game, f"n_step={n_step}")
                self.assertEqual(cells[1], str(len(scores)))
                for cell, statistic in [(cells[3], mean), (cells[4], interquartile_mean)]:
                    self.assert_estimate(
                        cell,
                        statistic(weighted([scores])),
                        [statistic(weighted(drawn)) for drawn in resamples([scores])],
                    )
            x, y = [groups[3]], [groups[1]]
            self.assert_estimate(
                self.cells(game, "n_step=3")[5],
                better(x, y),
                [better(a, b) for a in resamples(x) for b in resamples(y)],
            )

    def test_over_games(self):
        agents = {}
        for n_step in (1, 3):
            agents[n_step] = []
            for game, groups in sorted(SCORES.items()):
                low, high = (fractions.Fraction(number) for number in REFERENCES[game])
                agents[n_step].append([(score - low) / (high - low) for score in groups[n_step]])
            cells = self.cells("All games", f"n_step={n_step}")
            self.assertEqual(cells[1:3], ["2", "2 to 3"])
            for cell, statistic in [(cells[3], mean), (cells[4], interquartile_mean)]:
                self.assert_estimate(
                    cell,
                    statistic(weighted(agents[n_step])),
                    [statistic(weighted(drawn)) for drawn in resamples(agents[n_step])],
                )
        self.assert_estimate(
            self.cells("All games", "n_step=3")[5],
            better(agents[3], agents[1]),
            [better(a, b) for a in resamples(agents[3]) for b in resamples(agents[1])],
        )


if __name__ == "__main__":
    program.main()
