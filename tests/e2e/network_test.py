"""Scoring and showing what was trained."""

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import termios

import program


class Trained(program.Case):
    def setUp(self):
        super().setUp()
        self.run_program(
            "train", *program.TINY, "--deterministic", "--frames", "3200", "--quiet",
            "--run-dir", "run", "--set", "checkpoint.every_frames=1600",
        )  # fmt: skip
        self.run_folder = self.folder / "run"

    def evaluate(self, *arguments):
        stdout, _ = self.run_program("evaluate", *arguments, "--json")
        return json.loads(stdout)

    def test_evaluation_can_be_repeated(self):
        of_run = json.loads((self.run_folder / "evaluation.json").read_text())
        repeated = self.evaluate("run")
        self.assertEqual(repeated["returns"], of_run["returns"])
        self.assertEqual(repeated["seed"], of_run["seed"])
        first = self.evaluate("run", "--protocol", "epsilon-0.05", "--episodes", 40, "--seed", 7)
        self.assertEqual(len(first["returns"]), 40)
        self.assertEqual(first["protocol"], "epsilon-0.05")
        self.assertEqual(
            first, self.evaluate("run", "--protocol", "epsilon-0.05", "--episodes", 40, "--seed", 7)
        )
        self.assertGreater(len(set(of_run["returns"])), 1, "too good a network to tell runs apart")
        stdout, _ = self.run_program("evaluate", "run")
        self.assertIn(f"{of_run['mean']:.2f} +- {of_run['standard_error']:.2f}", stdout)

    def test_network_is_found_wherever_it_lies(self):
        of_run = self.evaluate("run")["returns"]
        newest = program.checkpoints(self.run_folder)[-1].relative_to(self.folder)
        self.assertEqual(self.evaluate(newest)["returns"], of_run)
        self.assertEqual(self.evaluate(newest / "parameters.safetensors")["returns"], of_run)
        (self.run_folder / "final.safetensors").rename(self.folder / "elsewhere.safetensors")
        self.assertEqual(self.evaluate("run")["returns"], of_run)
        config = ["--config", "run/config.toml"]
        self.assertEqual(self.evaluate("elsewhere.safetensors", *config)["returns"], of_run)
        self.assert_refused(["evaluate", "elsewhere.safetensors"], "elsewhere.safetensors")
        # Its game is the one that it learnt, not the default's.
        sizes = ["--set", "network.preset=custom", "--set", "network.hidden=[32]"]
        self.assertEqual(
            self.evaluate("elsewhere.safetensors", *sizes, "--episodes", "20")["environment"], "classic/catch"
        )
        self.run_program("export", "elsewhere.safetensors", "--output", "again.safetensors", *sizes,
                         "--format", "safetensors")  # fmt: skip
        _, stderr = self.run_program("evaluate", "elsewhere.safetensors", *config, "--set", "environment.name=classic/catch")
        self.assertEqual(stderr, "")

    def test_damaged_file_is_refused(self):
        original = (self.run_folder / "final.safetensors").read_bytes()
        size = len(original)
        copy = self.run_folder / "copy.safetensors"
        for position in [0, 8, size // 2, size - 1]:
            with self.subTest(flipped=position):
                flipped = bytearray(original)
                flipped[position] ^= 4
                copy.write_bytes(flipped)
                self.assert_refused(["evaluate", "run/copy.safetensors"], "copy.safetensors")
        for length in [0, 8, size // 2, size - 4]:
            with self.subTest(length=length):
                copy.write_bytes(original[:length])
                self.assert_refused(["evaluate", "run/copy.safetensors"], "copy.safetensors")

    def test_damaged_checkpoint_is_refused(self):
        newest = program.checkpoints(self.run_folder)[-1]
        for name in ["parameters.safetensors", "state.json", "manifest.json"]:
            with self.subTest(name=name):
                copy = self.folder / "copy"
                shutil.copytree(newest, copy)
                data = bytearray((copy / name).read_bytes())
                data[len(data) // 2] ^= 4
                (copy / name).write_bytes(data)
                self.assert_refused(["evaluate", "copy", "--config", "run/config.toml"], "copy")
                shutil.rmtree(copy)

    def test_agent_plays_into_a_film(self):
        film = ["run", "--gif", "film.gif", "--episodes", "2", "--seed", "3"]
        stdout, _ = self.run_program("play", *film)
        self.assertIn("episode 2: return", stdout)
        first = (self.folder / "film.gif").read_bytes()
        self.assertEqual(first[:6], b"GIF89a")
        self.run_program("play", *film)
        self.assertEqual((self.folder / "film.gif").read_bytes(), first)


class Bfloat16(program.Case):
    def test_catch_is_learnt_and_the_run_goes_on(self):
        settings = ["--set", "network.backend=bfloat16"]
        train = ["train", *program.TINY, "--quiet", "--run-dir", "run", *settings]
        if "it cannot be used" in self.run_program("doctor")[0]:
            _, stderr = self.run_program(*train, expect=1)
            self.assertRegex(stderr, "^gorila: network.backend is bfloat16: .*AVX-512.*\n$")
            self.skipTest("oneDNN has no bfloat16 on this processor")
        self.run_program(*train, "--deterministic", "--frames", "20000")
        self.run_program("resume", "run", "--frames", "30000", "--quiet")
        # Whatever trained it, any backend computes it.
        for more in [[], ["--set", "network.backend=gemm"]]:
            stdout, _ = self.run_program("evaluate", "run", "--episodes", "100", "--json", *more)
            self.assertGreater(json.loads(stdout)["mean"], 0.8, more)


class Untrained(program.Case):
    def test_random_policy_plays_into_a_film(self):
        self.run_program("play", "--env", "minatar/freeway", "--gif", "film.gif", "--seed", "2")
        self.assertEqual((self.folder / "film.gif").read_bytes()[:6], b"GIF89a")

    def test_play_without_a_terminal(self):
        self.assert_refused(["play"], "--gif")
        self.assert_refused(["play", "--keyboard", "--gif", "film.gif"], "--keyboard")

    def test_environments_are_listed(self):
        stdout, _ = self.run_program("envs")
        folders = [line.split("/")[0] for line in stdout.split("\n\n")[0].splitlines()[1:]]
        self.assertEqual(
            {folder: folders.count(folder) for folder in folders},
            {"minatar": 5, "pixel": 5, "classic": 3, "atari": folders.count("atari")},
        )
        self.assertRegex(stdout, r"minatar/breakout +4x10x10 +6 +sticky_actions")

    def test_recordings_match_and_altered_ones_do_not(self):
        recordings = program.SOURCE / "data" / "minatar"
        stdout, _ = self.run_program("envs", "verify", recordings)
        self.assertRegex(stdout, r"^episodes 60\nsteps \d+\nmismatches 0\n$")
        copy = self.folder / "copy"
        shutil.copytree(recordings, copy)
        altered = copy / "breakout.jsonl"
        altered.write_text(altered.read_text().replace('"reward":1', '"reward":2', 1))
        stdout, _ = self.run_program("envs", "verify", copy, expect=1)
        self.assertRegex(stdout, r"breakout.jsonl[^\n]*\n(.*\n)*episodes 60\n.*\nmismatches 1\n$")
        self.assert_refused(["envs", "verify", "nowhere"], "nowhere")
        altered.write_text("{")
        self.assert_refused(["envs", "verify", copy], "breakout.jsonl")

    def test_configuration_is_printed_as_it_is_read(self):
        stdout, _ = self.run_program("config", "--preset", "dqn", "--set", "run.bundles=3")
        (self.folder / "mine.toml").write_text(stdout)
        again, _ = self.run_program("config", "--config", "mine.toml")
        self.assertEqual(again, stdout)
        self.assertIn("bundles = 3\n", stdout)
        markdown, _ = self.run_program("config", "--markdown")
        self.assertIn("| `learner.batch_size` |", markdown)

    def test_doctor(self):
        stdout, _ = self.run_program("doctor", "--env", "classic/catch")
        for subject in ["cpu", "cores", "memory", "oneDNN", "denormals", "disk"]:
            self.assertRegex(stdout, rf"(?m)^(ok|advice) +{subject} ")
        stdout, _ = self.run_program(
            "doctor", "--bundles", "1000", "--set", "replay.capacity=4000000000", expect=1
        )
        self.assertRegex(stdout, r"(?m)^PROBLEM +memory ")
        (self.folder / "file").write_text("")
        stdout, _ = self.run_program("doctor", "--run-dir", "file/run", expect=1)
        self.assertRegex(stdout, r"(?m)^PROBLEM +disk ")

    def test_help_of_every_verb_has_an_example(self):
        stdout, _ = self.run_program("--help")
        verbs = ["train", "resume", "evaluate", "play", "envs", "doctor", "config"]
        for verb in verbs:
            self.assertRegex(stdout, rf"(?m)^  {verb} ")
            text, _ = self.run_program(verb, "--help")
            self.assertRegex(text, rf"Examples?:\n  gorila {verb} ?")
        version, _ = self.run_program("--version")
        self.assertRegex(version, r"^gorila \d+\.\d+\.\d+")


class OnTerminal(program.Case):
    """The game on a terminal, which is as it was when the program ends."""

    def setUp(self):
        super().setUp()
        self.master, self.slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.addCleanup(os.close, self.slave)
        self.settings = termios.tcgetattr(self.slave)

    def play(self, *arguments):
        process = subprocess.Popen(
            [program.PROGRAM, "play", *arguments],
            cwd=self.folder,
            stdin=self.slave,
            stdout=self.slave,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(program.stop_for_good, process)
        return process

    def read_until(self, text):
        """What the terminal was sent, up to `text`."""
        seen = b""
        while text not in seen:
            ready, _, _ = select.select([self.master], [], [], program.DEADLINE)
            self.assertTrue(ready, seen)
            seen += os.read(self.master, 65536)
        return seen

    def assert_restored(self, process, status):
        seen = self.read_until(b"episode 1: return")
        self.assertEqual(process.wait(program.DEADLINE), status)
        self.assertIn(b"\x1b[?25h", seen)
        self.assertEqual(termios.tcgetattr(self.slave), self.settings)


class Terminal(OnTerminal):
    def test_person_plays_and_quits(self):
        process = self.play("--env", "minatar/breakout", "--keyboard")
        seen = self.read_until(b"step 3")
        self.assertIn("\u2580".encode(), seen)
        self.assertIn(b"q quits", seen)
        self.assertNotEqual(termios.tcgetattr(self.slave), self.settings)
        os.write(self.master, b"q")
        self.assert_restored(process, 0)

    def test_signal_ends_the_game(self):
        process = self.play("--env", "minatar/breakout", "--keyboard")
        self.read_until(b"step 1")
        process.send_signal(signal.SIGINT)
        self.assert_restored(process, 130)

    def test_agent_shows_its_values(self):
        self.run_program(
            "train", *program.TINY, "--deterministic", "--quiet", "--frames", "1200", "--run-dir", "r"
        )
        process = self.play("--checkpoint", "r", "--delay-ms", "20")
        seen = self.read_until(b"step 3")
        self.assertIn(b"Q-values", seen)
        self.assertIn(b"> ", seen)
        self.assert_restored(process, 0)


if __name__ == "__main__":
    program.main()
