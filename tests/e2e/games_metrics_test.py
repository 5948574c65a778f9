"""What people see of a run with several games: records, metrics, the dashboard's data, reports."""

import json

import dashboard_test
import program
import prometheus

GAMES = ["minatar/breakout", "minatar/asterix"]
# minimal_actions: breakout then has 3 actions and asterix 5, of 5 in all.
SMALL = [
    "--bundles", "2", "--shards", "2", "--set", "network.preset=custom",
    "--set", "network.hidden=[16]", "--set", "environment.minimal_actions=true",
    "--set", "replay.min_size=500", "--set", "replay.capacity=4000",
    "--set", "replay.updates_per_step=0.05", "--set", "evaluation.episodes=2",
    "--set", "evaluation.best=false", "--set", "optimizer.decay_updates=1000",
]  # fmt: skip
TINY = ["--env", ",".join(GAMES), *SMALL]
ALONE = ["--env", GAMES[0], *SMALL]
DETERMINISTIC = ["--deterministic", "--set", "run.metrics_every_frames=1000"]
ENDLESS = [*TINY, "--frames", "1000000000", "--set", "run.metrics_every_seconds=0.1"]


class Case(program.Case):
    def rows(self, run="run", kind="training"):
        lines = (self.folder / run / "metrics.jsonl").read_text().splitlines()
        return [row for row in map(json.loads, lines) if row["kind"] == kind]

    def assert_is_sum_of_games(self, row):
        games = row["games"]
        self.assertEqual(list(games), GAMES)
        self.assertEqual(sum(game["frames"] for game in games.values()), row["frames"])
        for name in ["episodes", "return_episodes"]:
            self.assertEqual(sum(game[name] for game in games.values()), row[name], name)
        ended = [game for game in games.values() if game["return_episodes"] > 0]
        if ended:
            returns = sum(game["return_episodes"] * game["return_mean"] for game in ended)
            self.assertAlmostEqual(returns / row["return_episodes"], row["return_mean"])


class Finished(Case):
    def test_records_and_reports_have_each_game(self):
        _, stderr = self.run_program(
            "train", *TINY, *DETERMINISTIC, "--frames", 8000, "--run-dir", "run"
        )
        self.assertRegex(stderr, r"return \S+ \(breakout \S+, asterix \S+\), epsilon")
        rows = self.rows()
        for row in rows:
            self.assert_is_sum_of_games(row)
            self.assertEqual(len({game["frames"] for game in row["games"].values()}), 1, row)
        report = json.loads((self.folder / "run" / "report.json").read_text())
        self.assertEqual(list(report["games"]), GAMES)
        for name, game in report["games"].items():
            self.assertEqual(game["frames"], 4000)
            self.assertEqual(game["episodes"], rows[-1]["games"][name]["episodes"])
            batches = [row["games"][name] for row in rows if row["games"][name]["return_episodes"]]
            self.assertGreaterEqual(game["highest_training_return"], game["training_return"])
            means = [batch["return_mean"] for batch in batches]
            self.assertTrue(min(means) <= game["training_return"] <= max(means))
        self.assertRegex((self.folder / "run" / "report.md").read_text(),
                         r"\| minatar/breakout \| 4,000 \| \d+ \| [\d.]+ \| [\d.]+ \|")  # fmt: skip
        for name in ["curve.svg", "report.html"]:
            text = (self.folder / "run" / name).read_text()
            self.assertRegex(text, "; breakout; asterix</desc>")
        self.assertTrue((self.folder / "run" / "curve.png").read_bytes().startswith(b"\x89PNG"))

    def test_a_resumed_run_continues_each_games_figures(self):
        exact = [*TINY, *DETERMINISTIC, "--set", "checkpoint.replay=true"]
        self.run_program("train", *exact, "--frames", 6000, "--run-dir", "whole")
        self.run_program("train", *exact, "--frames", 3000, "--run-dir", "run")
        self.run_program("resume", "run", "--frames", 6000)
        self.assertEqual(self.rows()[-1], self.rows("whole")[-1])
        self.assertEqual(self.rows()[-1]["games"][GAMES[0]]["frames"], 3000)

    def test_runs_with_the_same_games_are_compared_game_by_game(self):
        for seed in [1, 2]:
            self.run_program("train", *TINY, *DETERMINISTIC, "--frames", 4000, "--seed", seed,
                             "--run-dir", f"several-{seed}")  # fmt: skip
        self.run_program("train", *ALONE, *DETERMINISTIC, "--frames", 4000, "--run-dir", "alone")
        self.run_program("report", "several-1", "several-2", "alone", "--curve", "curve.svg")
        together = "minatar-breakout,minatar-asterix"
        several = (self.folder / f"curve-{together}.svg").read_text()
        self.assertRegex(several, "<desc>training return.*2 runs; breakout; asterix</desc>")
        one = (self.folder / "curve-minatar-breakout.svg").read_text()
        self.assertIn("<title>minatar/breakout</title>", one)
        self.assertNotIn("asterix", one)

    def test_a_run_with_one_game_says_nothing_of_games(self):
        self.run_program("train", *ALONE, *DETERMINISTIC, "--frames", 3000, "--run-dir", "run")
        self.assertTrue(self.rows())
        for row in self.rows():
            self.assertNotIn("games", row)
        self.assertNotIn("games", json.loads((self.folder / "run" / "report.json").read_text()))


class Launched(Case):
    def test_workers_tell_the_frames_of_each_game(self):
        self.run_program("launch", *TINY, "--frames", 6000, "--run-dir", "run")
        last = self.rows()[-1]
        self.assert_is_sum_of_games(last)
        for game in last["games"].values():
            self.assertGreater(game["frames"], 0)
            self.assertGreater(game["episodes"], 0)


class Watched(dashboard_test.Served):
    def setUp(self):
        super().setUp()
        self.process = self.start(
            "train", *ENDLESS, "--run-dir", "run", "--dashboard=127.0.0.1:0"
        )  # fmt: skip
        self.url = self.url_of(self.process)

    def test_each_game_has_figures(self):
        live = dashboard_test.wait_for(
            self.url + "api/events", "live",
            lambda data: all(game["episodes"] > 0 for game in data["games"]),
        )  # fmt: skip
        self.assertEqual([game["name"] for game in live["games"]], GAMES)
        run = json.loads(dashboard_test.get(self.url + "api/runs")[2])["runs"][0]
        self.assertEqual((run["games"], run["game_labels"]), (GAMES, ["breakout", "asterix"]))
        families = prometheus.parse(dashboard_test.get(self.url + "metrics")[2])
        for game in GAMES:
            for name in ["gorila_game_environment_frames_total", "gorila_game_episodes_total"]:
                self.assertGreater(prometheus.value(families, name, run="run", game=game), 0)
            prometheus.value(families, "gorila_game_episode_return_mean", run="run", game=game)

    def test_the_agent_plays_the_game_that_is_chosen(self):
        for game, actions in [(0, 3), (1, 5)]:
            data = dashboard_test.wait_for(self.url + f"api/game?run=0&game={game}", "game")
            self.assertEqual((len(data["actions"]), len(data["q"])), (actions, actions))
            self.assertIn(data["chosen"], range(actions))
        problem = dashboard_test.wait_for(self.url + "api/game?run=0&game=2", "problem")
        self.assertIn("game is '2'; expected 0 to 1", problem["message"])


if __name__ == "__main__":
    program.main()
