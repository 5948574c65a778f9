"""Bad input: one clear line, exit status 2, nothing written."""

import subprocess

import program


class Output(program.Case):
    def test_a_full_disk_below_standard_output_is_told(self):
        # A long output fails while it is printed, a short one when it is flushed.
        for arguments in [["config"], ["--version"], ["envs"]]:
            with self.subTest(arguments=arguments), open("/dev/full", "w") as full:
                done = subprocess.run(
                    [program.PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True
                )
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertRegex(done.stderr, r"\Agorila: [^\n]*writ[^\n]*\n\Z")


class Commands(program.Case):
    def test_command_line(self):
        for arguments, *fragments in [
            ([], "expected a verb"),
            (["trian"], "'trian'", "'train'"),
            (["train", "--fraems", "10"], "'--fraems'", "'--frames'"),
            (["train", "surplus"], "'surplus'"),
            (["train", "--frames"], "--frames"),
            (["envs", "verfy"], "'verfy'", "'verify'"),
            (["resume"], "RUN"),
            (["play", "--episodes", "none", "--gif", "x.gif"], "--episodes", "'none'", "1 to 1000000"),
            (["play", "--episodes", "2.5", "--gif", "x.gif"], "--episodes", "'2.5'", "1e3 or 1k"),
            (["play", "--episodes", "2M", "--gif", "x.gif"], "--episodes", "'2M'", "1 to 1000000"),
            (["play", "--delay-ms", "1k", "--gif", "x.gif"], "--delay-ms", "'1k'", "20 to 10000"),
            (["certs", "c", "--days", "1e9"], "--days", "'1e9'", "1 to 3650"),
            (["play", "a", "--checkpoint", "b", "--gif", "x.gif"], "'a'", "--checkpoint 'b'", "one of them"),
            (["play", "--chekpoint", "b"], "'--chekpoint'", "'gorila play --help' lists all"),
            (["play", "--seed", "-1", "--gif", "x.gif"], "--seed", "'-1'", "to 2^64 - 1"),
            (["play", "--seed", "1.5", "--gif", "x.gif"], "--seed", "'1.5'", "to 2^64 - 1"),
            (["evaluate", "run", "--seed", str(2**64)], "--seed", str(2**64), "to 2^64 - 1"),
            (["export", "run", "--format", "onx"], "--format", "'onx'; did you mean 'onnx'?", "'gorila help export'"),
            (["launch", "--engine", "slrum"], "--engine", "'slrum'; did you mean 'slurm'?", "'gorila help launch'"),
            (["benchmark", "shrad"], "'shrad'; did you mean 'shard'?", "'gorila help benchmark' lists all"),
            (["completions", "zhs"], "'zhs'; did you mean 'zsh'"),
            (["suite", "minatr", "--folder", "s"], "'minatr'", "did you mean 'minatar'?", "'gorila help suite'"),
            (["suite", "minatar/braekout", "--folder", "s"], "'minatar/breakout'", "'gorila envs' lists all"),
            (["suite", "breakout", "--folder", "s"], "'minatar/breakout'", "'gorila envs' lists all"),
            (["scores", "--seed", "0x10"], "--seed", "'0x10'", "to 2^64 - 1"),
            (["scores", "--seed", ""], "--seed", "''", "to 2^64 - 1"),
        ]:
            with self.subTest(arguments=arguments):
                self.assert_refused(arguments, *fragments)

    def test_doctor_does_not_answer_with_its_own_name(self):
        message = self.assert_refused(["doctor", "--env", "atari/pong", "--set", "atari.rom_folder=nowhere"], "atari/pong")
        self.assertIn("docs/atari.md", message)
        self.assertNotIn("gorila doctor", message)

    def test_every_seed_is_taken_as_written(self):
        def film(seed):
            self.run_program("play", "--env", "classic/catch", "--gif", "x.gif", "--seed", seed)
            return (self.folder / "x.gif").read_bytes()

        self.assertEqual(film("010"), film("10"))
        self.assertNotEqual(film(str(2**64 - 1)), film(str(2**64 - 2)))

    def test_settings(self):
        train = ["train", "--env", "classic/catch", "--run-dir", "run"]
        for arguments, *fragments in [
            (["--env", "minatar/breakuot"], "minatar/breakuot", "minatar/breakout", "'gorila envs' lists all"),
            (["--preset", "minatra"], "minatra", "'minatar'", "'gorila train --help' lists all"),
            (["--set", "optimizer.name=adm"], "'adm'", "did you mean", "'gorila config' lists all"),
            (["--set", "replay.selector=unifrm"], "expected one of uniform, prioritized"),
            (["--frames", "none"], "--frames", "none"),
            (["--frames", "0"], "--frames", "0"),
            (["--bundles", "-3"], "--bundles", "-3"),
            (["--frames", "1.5"], "--frames", "1.5", "such as 1000000, 1e6 or 1M"),
            (["--frames", "1e-3"], "--frames", "0.001", "such as 1000000, 1e6 or 1M"),
            (["--frames", "1e30"], "--frames", "to 2^63 - 1"),
            (["--frames", "10Q"], "--frames", "'10Q'", "to 2^63 - 1"),
            (["--seed", "1M"], "--seed", "'1M'", "such as 1000000 or 1e6"),
            (["--seconds", "1M"], "--seconds", "'1M'", "a number"),
            (["--set", "cluster.memory_mb=4G"], "cluster.memory_mb", "'4G'", "64 or more"),
            (["--shards", "100k"], "--shards", "100000", "4096"),
            (["--parameter-servers", "100000"], "--shards", "4096"),
            (["--seed", "1.5"], "--seed", "1.5"),
            (["--set", "learner.batch_sise=3"], "learner.batch_sise", "learner.batch_size"),
            (["--set", "learner.discount=1.5"], "learner.discount", "1.5"),
            (["--set", "learner.discount"], "learner.discount", "section.key=value"),
            (["--set", "evaluation.protocol=greedi"], "greedi", "greedy"),
            (["--deterministic", "--seconds", "10"], "run.seconds"),
            (["--set", "replay.capacity=1000", "--set", "replay.min_size=2000"], "replay.min_size"),
            (["--set", "network.preset=nature_dqn"], "nature_dqn"),
            (["--set", "network.backend=quantum"], "quantum"),
            (["--seed", str(2**63)], "--seed", str(2**63), "to 2^63 - 1"),
            (["--config", "missing.toml"], "missing.toml"),
            (["--config", "."], "'.' is a folder"),
            (["--config", "/dev/zero"], "'/dev/zero'", "regular file"),
        ]:
            with self.subTest(arguments=arguments):
                given = [a for a in train if a not in ("--env", "classic/catch")]
                keep = given if "--env" in arguments else train
                self.assert_refused([*keep, *arguments], *fragments)

    def test_replay_larger_than_memory(self):
        huge = ["--env", "minatar/seaquest", "--bundles", "1000"]
        self.assert_refused(
            ["train", *huge, "--set", "replay.capacity=4000000000"], "replay memory would take"
        )
        self.assert_refused(
            ["train", "--set", "replay.byte_budget=1000000000000000"], "replay.byte_budget"
        )

    def test_config_file(self):
        file = self.folder / "mine.toml"
        for text, *fragments in [
            ("[run]\nframs = 10\n", "mine.toml", "frams", "frames"),
            ("[run]\nframes = 'ten'\n", "mine.toml", "frames"),
            ("[run\n", "mine.toml", "1"),
            ("preset = 'nothing'\n", "nothing"),
        ]:
            file.write_text(text)
            with self.subTest(text=text):
                self.assert_refused(["train", "--config", "mine.toml"], *fragments)

    def test_an_error_line_has_at_most_2000_characters(self):
        long = "x" * 100_000
        (self.folder / "long.toml").write_text(f"{long} = 1\n")
        for arguments in (["train", "--env", long], ["train", "--config", "long.toml"], [long]):
            _, stderr = self.run_program(*arguments, expect=2)
            self.assertRegex(stderr, r"\Agorila: .*x.*\n\Z")
            self.assertLessEqual(len(stderr), 2000)

    def test_a_file_that_is_far_too_large_is_not_read(self):
        for name, *arguments, kind in [
            ("large.toml", "train", "--config", "large.toml", "a file of settings"),
            ("large.csv", "scores", "large.csv", "a file of results"),
        ]:
            with open(self.folder / name, "wb") as file:
                file.truncate(1 << 40)  # without a block on the disk
            _, stderr = self.run_program(*arguments, expect=2)
            self.assertIn(f"'{name}' has {1 << 40} bytes; expected {kind}", stderr)


class Directories(program.Case):
    def test_directory_that_cannot_be_made(self):
        (self.folder / "file").write_text("")
        self.assert_refused(["train", "--env", "classic/catch", "--run-dir", "file/run"], "file/run")

    def test_directory_with_something_in_it(self):
        (self.folder / "run").mkdir()
        (self.folder / "run" / "letter.txt").write_text("keep me")
        self.assert_refused(["train", "--env", "classic/catch", "--run-dir", "run"], "'run'", "not empty")

    def test_a_damaged_files_bytes_are_no_commands_to_the_terminal(self):
        (self.folder / "run").mkdir()
        (self.folder / "run" / "config.toml").write_text(self.run_program("config")[0])
        (self.folder / "run" / "metrics.jsonl").write_text("\x1b[31m\0\x07damaged\n")
        before = program.snapshot(self.folder)
        _, stderr = self.run_program("report", "run", expect=2)
        self.assertRegex(stderr, r"\Agorila: run log [ -~]*damaged[ -~]*\n\Z")
        self.assertEqual(program.snapshot(self.folder), before)

    def test_not_a_run(self):
        self.assert_refused(["resume", "nowhere"], "nowhere")
        (self.folder / "empty").mkdir()
        self.assert_refused(["resume", "empty"], "empty", "config.toml")
        self.assert_refused(["evaluate", "nowhere"], "nowhere")
        self.assert_refused(["evaluate", "empty"], "empty")
        self.assert_refused(["play", "--checkpoint", "nowhere", "--gif", "x.gif"], "nowhere")


if __name__ == "__main__":
    program.main()
