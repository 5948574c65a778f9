"""gorila suite: many games with the same settings, stopped and gone on with."""

import fcntl
import json

import program

SETTINGS = [a for a in program.TINY if a not in ("--env", "classic/catch")]
SMALL = [*SETTINGS, "--frames", "3200", "--deterministic", "--quiet"]
SUITE = ["suite", "classic/catch", "classic/cart_pole", "--folder", "suite", *SMALL]


class Runs(program.Case):
    def test_every_game_is_trained_with_every_seed_once(self):
        stdout, _ = self.run_program(*SUITE, "--seeds", 2, "--protocols", "epsilon-0.05",
                                     "--tag", "x", "--name", "all")  # fmt: skip
        self.assertIn("gorila scores suite", stdout)
        folder = self.folder / "suite"
        runs = [folder / game / f"seed{seed}" for game in ("classic-catch", "classic-cart_pole")
                for seed in (1, 2)]  # fmt: skip
        before = {run: (run / "evaluation.json").read_bytes() for run in runs}
        for run in runs:
            other = json.loads((run / "evaluations" / "epsilon-0.05.json").read_text())
            self.assertEqual(other["protocol"], "epsilon-0.05")
            labels = (run / "labels.toml").read_text()
            self.assertIn(f'name = "all {run.parent.name} {run.name}"', labels)
            self.assertIn('"x"', labels)
        metrics = {run: (run / "metrics.jsonl").read_bytes() for run in runs}

        # Again, with one more seed: only its runs are new.
        self.run_program(*SUITE, "--seeds", 3)
        for run in runs:
            self.assertEqual((run / "evaluation.json").read_bytes(), before[run])
            self.assertEqual((run / "metrics.jsonl").read_bytes(), metrics[run])
        self.assertTrue((folder / "classic-catch" / "seed3" / "evaluation.json").exists())

        stdout, _ = self.run_program("scores", "suite")
        self.assertRegex(stdout, r"classic/catch +greedy +3 ")
        self.assertRegex(stdout, r"classic/catch +epsilon-0.05 +2 ")

    def test_minatars_runs_are_compared_with_its_own_table(self):
        stdout, _ = self.run_program("suite", "minatar/freeway", "--folder", "my suite", *SMALL)
        self.assertIn("next: gorila scores minatar 'my suite'\n", stdout)
        self.assertNotIn("next: gorila scores 'my suite'", stdout)
        stdout, _ = self.run_program("scores", "minatar", "my suite")
        self.assertIn("minatar/freeway, training return", stdout)
        stdout, _ = self.run_program("suite", "minatar/freeway", "classic/catch", "--folder", "my suite", *SMALL)
        self.assertIn("next: gorila scores minatar 'my suite'\nnext: gorila scores 'my suite'\n", stdout)

    def test_a_run_that_another_process_trains_is_passed_over(self):
        self.run_program(*SUITE)
        run = self.folder / "suite" / "classic-catch" / "seed1"
        (run / "evaluation.json").unlink()
        holder = open(run / ".lock")
        self.addCleanup(holder.close)
        fcntl.flock(holder, fcntl.LOCK_EX)
        (run.parent.parent / "classic-cart_pole" / "seed1" / "evaluation.json").unlink()
        _, stderr = self.run_program(*SUITE, expect=1)
        self.assertIn("in use by another process; skipped", stderr)
        self.assertIn("another process has 1 of the runs", stderr)
        self.assertTrue((run.parent.parent / "classic-cart_pole" / "seed1" / "evaluation.json").exists())
        fcntl.flock(holder, fcntl.LOCK_UN)
        self.run_program(*SUITE)
        self.assertTrue((run / "evaluation.json").exists())

    def test_other_settings_are_refused(self):
        self.run_program(*SUITE)
        self.assert_refused([*SUITE, "--set", "learner.batch_size=7"], "suite", "other settings")

    def test_a_killed_suite_goes_on(self):
        arguments = [*SUITE, "--set", "checkpoint.every_frames=1000"]
        process = self.start(*arguments)
        run = self.folder / "suite" / "classic-catch" / "seed1"
        self.kill_at_checkpoint(process, run, 1000)
        self.run_program(*arguments)
        self.assertTrue((run / "evaluation.json").exists())
        self.assertTrue((run.parent.parent / "classic-cart_pole" / "seed1" / "evaluation.json").exists())

    def test_bad_input(self):
        for arguments, *fragments in [
            ([], "GAME"),
            (["minatar/breakuot", "--folder", "s"], "minatar/breakuot", "minatar/breakout"),
            (["pixel"], "--folder"),
            (["pixel", "--folder", "s", "--protocols", "noop3"], "noop3", "noop30"),
            (["pixel", "--folder", "s", "--seeds", "0"], "--seeds"),
            (["pixel", "--folder", "s", "--set", "environment.name=minatar"], "games are arguments"),
            (["pixel", "--folder", "s", "--jobs", "0"], "--jobs"),
            (["pixel", "--folder", "s", "--engine", "kubernetess"], "--engine"),
        ]:
            with self.subTest(arguments=arguments):
                self.assert_refused(["suite", *arguments], *fragments)


class Atari(program.Case):
    def test_names_of_atari_games(self):
        stdout, _ = self.run_program("envs")
        self.assertIn("atari/GAME", stdout)
        self.assertIn("pixel/breakout", stdout)
        stdout, _ = self.run_program("doctor", "--env", "pixel/breakout", "--preset", "pixel")
        self.assertIn("ALE_ROMS_DIR", stdout)
        # Whether built in or not, without a ROM there is one clear line.
        self.assert_refused(["train", "--env", "atari/pong", "--run-dir", "run"], "atari/pong", "docs/atari.md")
        self.assert_refused(["train", "--env", "atari/pogn", "--run-dir", "run"], "atari/pong")

    def test_start_points_are_recorded_and_played_from(self):
        console = [
            "--env", "pixel/breakout", "--set", "atari.screen_size=14", "--set", "atari.stack=1",
            "--set", "network.preset=custom", "--set", "network.hidden=[8]",
        ]  # fmt: skip
        stdout, _ = self.run_program(
            "play", *console, "--record-starts", "starts.jsonl", "--episodes", 2, "--starts", 3
        )
        self.assertIn("starts.jsonl: 6 start points", stdout)
        lines = [json.loads(line) for line in (self.folder / "starts.jsonl").read_text().splitlines()]
        self.assertEqual(lines[0]["environment"], "pixel/breakout")
        self.assertEqual(len(lines), 7)

        self.run_program(
            "train", *console, "--frames", 600, "--bundles", 1, "--quiet", "--run-dir", "run",
            "--set", "replay.capacity=600", "--set", "replay.min_size=100",
            "--set", "evaluation.episodes=2", "--set", "evaluation.best=false",
            "--set", "evaluation.every_frames=0", "--set", "evaluation.protocol=noop30",
        )  # fmt: skip
        human = ["--protocol", "human-starts", "--set", "evaluation.starts=starts.jsonl"]
        stdout, _ = self.run_program("evaluate", "run", *human, "--episodes", 6, "--json")
        result = json.loads(stdout)
        self.assertEqual(result["protocol"], "human-starts")
        self.assertEqual(result["protocol_version"], 1)
        self.assertEqual(len(result["returns"]), 6)
        self.assert_refused(["evaluate", "run", "--protocol", "human-starts"], "--record-starts")
        self.assert_refused(
            ["evaluate", "run", *human, "--set", "atari.action_repeat=2"], "atari.action_repeat"
        )

        stdout, _ = self.run_program("play", "--checkpoint", "run", "--gif", "film.gif")
        self.assertIn("film.gif", stdout)
        header = (self.folder / "film.gif").read_bytes()[:10]
        self.assertEqual(header[:6], b"GIF89a")
        self.assertEqual(int.from_bytes(header[6:8], "little"), 320 + 200, "no panel of Q-values")


if __name__ == "__main__":
    program.main()
