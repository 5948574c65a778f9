"""Runs with several games: each is evaluated, and so is their aggregate."""

import json

import program

BREAKOUT, ASTERIX = "minatar/breakout", "minatar/asterix"
GAMES = [BREAKOUT, ASTERIX]
# Two games whose actions differ. Deterministic, with two periodic evaluations.
TWO = [
    *program.TINY, *program.DETERMINISTIC, "--env", ",".join(GAMES), "--frames", "6400",
    "--set", "environment.minimal_actions=true", "--set", "actor.environments=2",
    "--set", "network.hidden=[16]", "--set", "evaluation.episodes=6",
]  # fmt: skip


class Several(program.Case):
    def train(self, *more, name="run"):
        stdout, stderr = self.run_program("train", *TWO, *more, "--run-dir", name)
        return stdout, stderr

    def rows(self, kind, name="run"):
        lines = (self.folder / name / "metrics.jsonl").read_text().splitlines()
        return [row for row in map(json.loads, lines) if row["kind"] == kind]

    def evaluation(self, name="run"):
        return json.loads((self.folder / name / "evaluation.json").read_text())

    def test_every_game_is_scored_and_shown_beside_the_aggregate(self):
        stdout, stderr = self.train()
        record = self.evaluation()
        self.assertEqual([game["environment"] for game in record["games"]], GAMES)
        self.assertEqual(record["environment"], ",".join(GAMES))
        self.assertIn("DQN-normalised", record["aggregate"])
        for game in record["games"]:
            self.assertEqual(game["episodes"], 6)
            self.assertAlmostEqual(sum(game["returns"]) / 6, game["mean"])
        self.assertEqual(len(record["returns"]), 6)
        for row in [*self.rows("evaluation"), *self.rows("final_evaluation")]:
            self.assertEqual(sorted(row["games"]), sorted(GAMES))
            self.assertEqual(row["aggregate"], record["aggregate"])
        final = self.rows("final_evaluation")[-1]
        self.assertEqual(final["return_mean"], record["mean"])
        self.assertEqual(final["games"][ASTERIX]["return_mean"], record["games"][1]["mean"])
        for text in [*GAMES, "DQN-normalised"]:
            self.assertIn(text, stdout)
            self.assertIn(text, (self.folder / "run" / "report.md").read_text())
            self.assertIn(text.split(":")[0], (self.folder / "run" / "report.html").read_text())
        self.assertIn(f"gorila play run --game {BREAKOUT}\n", stdout)
        self.assertRegex(stderr, rf"evaluation at \d+ frames: {BREAKOUT} .*, {ASTERIX} .*aggregate")
        table = self.run_program("report", "run")[0]
        for text in [*GAMES, record["aggregate"]]:
            self.assertIn(text, table)
        # The network with the best aggregate is scored.
        periodic = {row["frames"]: row["return_mean"] for row in self.rows("evaluation")}
        self.assertEqual(periodic[record["frames"]], max(periodic.values()))

    def test_evaluate_plays_all_games_or_the_one_named(self):
        self.train("--quiet")
        record = self.evaluation()
        every = json.loads(self.run_program("evaluate", "run", "--json")[0])
        for one, trained in zip(every["games"], record["games"]):
            self.assertEqual(one["returns"], trained["returns"])
        self.assertEqual(every["returns"], record["returns"])
        alone = json.loads(self.run_program("evaluate", "run", "--game", "asterix", "--json")[0])
        self.assertEqual(alone["environment"], ASTERIX)
        self.assertEqual(alone["returns"], record["games"][1]["returns"])
        self.assertNotIn("games", alone)
        table = self.run_program("evaluate", "run")[0]
        for text in [*GAMES, "6 episodes a game", "DQN-normalised"]:
            self.assertIn(text, table)
        self.assert_refused(
            ["evaluate", "run", "--game", "freeway"], "--game", "freeway", BREAKOUT, ASTERIX
        )  # fmt: skip
        self.assert_refused(
            ["evaluate", "run", "--protocol", "human-starts", "--set", "evaluation.starts=x"],
            "human-starts", "one game",
        )  # fmt: skip

    def test_play_shows_the_game_that_is_named(self):
        self.train("--quiet")
        self.assert_refused(["play", "run", "--gif", "film.gif"], "--game", BREAKOUT, ASTERIX)
        self.assert_refused(
            ["play", "--env", ",".join(GAMES), "--gif", "film.gif"], "--game", BREAKOUT, ASTERIX
        )  # fmt: skip
        for game in ["breakout", ASTERIX]:
            self.run_program("play", "run", "--game", game, "--gif", "film.gif")
            self.assertTrue((self.folder / "film.gif").read_bytes().startswith(b"GIF89a"))
        # Start points of one game are for that game alone.
        starts = ["--record-starts", "starts.jsonl", "--starts", "2"]
        self.run_program("play", "run", "--game", "asterix", *starts)
        human = ["--protocol", "human-starts", "--set", "evaluation.starts=starts.jsonl", "--json"]
        played = json.loads(self.run_program("evaluate", "run", "--game", "asterix", *human)[0])
        self.assertEqual(played["protocol"], "human-starts")
        self.assert_refused(["evaluate", "run", "--game", "breakout", *human], ASTERIX, BREAKOUT)

    def test_scores_have_a_row_for_each_game(self):
        self.train("--quiet")
        table = self.run_program("scores", "minatar", "run")[0]
        for game, evaluated in zip(GAMES, self.evaluation()["games"]):
            for measure in ["training return", "evaluation"]:
                self.assertIn(f"{game}, {measure}", table)
            self.assertRegex(table, rf"ours: .* {evaluated['mean']:.2f} .*one network for all 2 games")
        returns = self.rows("training")
        for game in GAMES:
            counted = [row["games"][game] for row in returns if row["games"][game]["return_episodes"]]
            episodes = sum(row["return_episodes"] for row in counted)
            mean = sum(row["return_mean"] * row["return_episodes"] for row in counted) / episodes
            self.assertRegex(table, rf"ours: .* {mean:.2f} .*one network for all 2 games")
        table = self.run_program("scores", "run", "--resamples", "0")[0]
        for game in GAMES:
            self.assertRegex(table, rf"{game} .*one network for all 2 games")

    def test_a_launched_run_is_scored_alike(self):
        stdout, _ = self.run_program(
            "launch", *TWO[: TWO.index("--deterministic")], *TWO[TWO.index("--env", 1) :],
            "--set", "evaluation.every_frames=3000", "--set", "evaluation.best=true", "--run-dir", "run",
        )  # fmt: skip
        record = self.evaluation()
        self.assertEqual([game["environment"] for game in record["games"]], GAMES)
        self.assertIn(record["aggregate"], stdout)
        best = max(self.rows("evaluation"), key=lambda row: row["return_mean"])
        self.assertEqual(record["frames"], best["frames"])

    def test_exports_are_of_the_game_that_is_named(self):
        for heads in ["shared", "per_game"]:
            self.train("--quiet", "--set", f"network.heads={heads}", name=heads)
            self.assert_refused(["export", heads, "--format", "onnx"], "--game", BREAKOUT, ASTERIX)
            sizes = []
            for game in ["breakout", "asterix"]:
                out, _ = self.run_program(
                    "export", heads, "--game", game, "--format", "onnx", "--examples", "q.json"
                )
                self.assertIn(f"{BREAKOUT} has 3 of the network's" if game == "breakout" else ASTERIX, out)
                sizes.append((self.folder / "network.onnx").stat().st_size)
                examples = json.loads((self.folder / "q.json").read_text())
                for row in examples["q"]:
                    self.assertTrue(all(isinstance(value, float) for value in row), row)
            self.assertEqual(len({size // 100 for size in sizes}), 1, sizes)
            self.run_program("export", heads, "--format", "safetensors", "--output", "all.safetensors")
            self.run_program("evaluate", "all.safetensors", "--config", f"{heads}/config.toml")

    def test_a_resumed_run_is_scored_as_the_whole_one(self):
        self.assert_resumes_exactly([*TWO, "--frames", "16000"], 3200)
        for name in ["killed", "whole"]:
            self.assertEqual([game["environment"] for game in self.evaluation(name)["games"]], GAMES)
        self.assertEqual(self.evaluation("killed"), self.evaluation("whole"))


    def test_networks_play_only_what_they_learnt(self):
        self.train("--quiet")
        for change, says in (
            ("environment.minimal_actions=false", "environment.minimal_actions is false, but the run"),
            (f"environment.name={ASTERIX},{BREAKOUT}", f"but the run learnt {BREAKOUT},{ASTERIX}"),
        ):
            _, stderr = self.run_program("evaluate", "run", "--set", change, expect=2)
            self.assertIn(says, stderr)

    def test_a_game_joins_a_run_and_fits_its_environments(self):
        start = ("train", *TWO, "--set", "environment.minimal_actions=false", "--env", BREAKOUT)
        self.run_program(*start, "--set", "actor.environments=3", "--run-dir", "run")
        before = self.rows("training")[-1]["frames"]
        said = "".join(
            self.run_program("resume", "run", "--set", f"environment.name={BREAKOUT},{ASTERIX}", "--frames", "9600")
        )
        self.assertIn("the games are joined by minatar/asterix", said)
        row = self.rows("training")[-1]
        frames = {name: game["frames"] for name, game in row["games"].items()}
        self.assertEqual(sum(frames.values()), row["frames"])
        self.assertGreater(frames[ASTERIX], 1500)
        self.assertEqual(frames[BREAKOUT] - frames[ASTERIX], before)
        self.assertIn("environments = 4", (self.folder / "run" / "config.toml").read_text())

    def test_a_game_joins_a_launched_run(self):
        self.run_program(
            "launch", *program.TINY, "--env", BREAKOUT, "--frames", "4000", "--set", "actor.environments=3",
            "--set", "network.hidden=[16]", "--set", "evaluation.episodes=6", "--set", "evaluation.best=true",
            "--set", "evaluation.every_frames=1000", "--run-dir", "run",
        )  # fmt: skip
        before = self.rows("training")[-1]["frames"]
        both = ("launch", "--resume", "run", "--frames", "9600", "--set")
        said = "".join(self.run_program(*both, f"environment.name={BREAKOUT},{ASTERIX}"))
        self.assertIn("the games are joined by minatar/asterix", said)
        row = self.rows("training")[-1]
        frames = {name: game["frames"] for name, game in row["games"].items()}
        self.assertEqual(sum(frames.values()), row["frames"])
        self.assertGreater(frames[ASTERIX], 1500)
        self.assertGreaterEqual(frames[BREAKOUT], before)
        self.assertGreater(self.evaluation()["frames"], before, "the best network is chosen anew")
        _, stderr = self.run_program(*both, f"environment.name={ASTERIX}", expect=2)
        self.assertIn('environment.name is "minatar/asterix", but', stderr)

    def test_bundles_share_out_games_that_one_of_them_could_not(self):
        self.run_program(
            "launch", *program.TINY, "--env", ",".join(GAMES), "--frames", "3000", "--set", "actor.environments=3",
            "--set", "network.hidden=[16]", "--set", "evaluation.episodes=6", "--run-dir", "run",
        )  # fmt: skip
        frames = [game["frames"] for game in self.rows("training")[-1]["games"].values()]
        self.assertGreater(min(frames), 500)

    def test_environments_fit_the_games_unless_a_file_has_their_number(self):
        (self.folder / "frames.toml").write_text("[run]\nframes = 20000\n")
        (self.folder / "eight.toml").write_text("[actor]\nenvironments = 8\n")
        games = ("--set", "environment.name=minatar")
        text, _ = self.run_program("config", "--config", "frames.toml", *games)
        self.assertIn("environments = 10", text)
        _, stderr = self.run_program("config", "--config", "eight.toml", *games, expect=2)
        self.assertIn("expected a multiple of 5", stderr)


class Single(program.Case):
    def test_another_game_than_the_runs_own_is_refused(self):
        self.run_program("train", *program.TINY, "--frames", "1600", "--quiet", "--run-dir", "run")
        for verb in [["evaluate", "run"], ["play", "run", "--gif", "film.gif"]]:
            self.assert_refused([*verb, "--game", "breakout"], "--game", "breakout", "classic/catch")
            self.run_program(*verb, "--game", "catch")
        self.assertNotIn("games", json.loads((self.folder / "run" / "evaluation.json").read_text()))


if __name__ == "__main__":
    program.main()
