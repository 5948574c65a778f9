"""What people see of a run with several games."""

import json

import program

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
    def test_rows_have_each_game(self):
        _, stderr = self.run_program(
            "train", *TINY, *DETERMINISTIC, "--frames", 8000, "--run-dir", "run"
        )
        self.assertRegex(stderr, r"return \S+ \(breakout \S+, asterix \S+\), epsilon")
        for row in self.rows():
            self.assert_is_sum_of_games(row)
            self.assertEqual(len({game["frames"] for game in row["games"].values()}), 1, row)

    def test_a_resumed_run_continues_each_games_figures(self):
        exact = [*TINY, *DETERMINISTIC, "--set", "checkpoint.replay=true"]
        self.run_program("train", *exact, "--frames", 6000, "--run-dir", "whole")
        self.run_program("train", *exact, "--frames", 3000, "--run-dir", "run")
        self.run_program("resume", "run", "--frames", 6000)
        self.assertEqual(self.rows()[-1], self.rows("whole")[-1])
        self.assertEqual(self.rows()[-1]["games"][GAMES[0]]["frames"], 3000)

    def test_a_run_with_one_game_says_nothing_of_games(self):
        self.run_program("train", *ALONE, *DETERMINISTIC, "--frames", 3000, "--run-dir", "run")
        self.assertTrue(self.rows())
        for row in self.rows():
            self.assertNotIn("games", row)


class Launched(Case):
    def test_workers_tell_the_frames_of_each_game(self):
        self.run_program("launch", *TINY, "--frames", 6000, "--run-dir", "run")
        last = self.rows()[-1]
        self.assert_is_sum_of_games(last)
        for game in last["games"].values():
            self.assertGreater(game["frames"], 0)
            self.assertGreater(game["episodes"], 0)


if __name__ == "__main__":
    program.main()
