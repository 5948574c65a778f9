"""Plug-ins from the command line: built as the examples say, trained on, resumed, refused."""

import json
import pathlib
import shutil
import subprocess
import unittest

import program

# What the build made: the examples, and plug-ins that are wrong.
PLUGINS = pathlib.Path(program.PROGRAM).with_name("plugins")
HEADER = program.SOURCE / "src" / "gorila" / "env" / "plugin"
EXAMPLES = program.SOURCE / "examples"

# TINY without its game.
TINY = program.TINY[2:]


def plugin(name):
    return f"plugin:{PLUGINS}/lib{name}.so"


def example_command(folder, source):
    """The first command of an example's README, which builds it, for the current folder."""
    readme = (EXAMPLES / folder / "README.md").read_text()
    command = readme.split("```")[1].split("\n")[1].split()
    places = {"../../src/gorila/env/plugin": HEADER, source: EXAMPLES / folder / source}
    return [str(places.get(word, word)) for word in command]


class Examples(program.Case):
    """Built by the command in each README, and played."""

    def build(self, folder, source):
        command = example_command(folder, source)
        if shutil.which(command[0]) is None:
            raise unittest.SkipTest(f"{command[0]} is not installed")
        subprocess.run(command, cwd=self.folder, check=True)

    def play(self, library):
        self.run_program(
            "train", *TINY, "--env", f"plugin:./{library}", "--frames", "2000", "--quiet", "--run-dir", "run"
        )
        return json.loads((self.folder / "run" / "evaluation.json").read_text())

    def test_c(self):
        self.build("plugin_c", "maze.c")
        self.assertEqual(len(self.play("libmaze.so")["returns"]), 20)

    def test_cpp(self):
        self.build("plugin_cpp", "paddle.cc")
        self.assertEqual(len(self.play("libpaddle.so")["returns"]), 20)

    def test_rust(self):
        self.build("plugin_rust", "maze.rs")
        self.assertEqual(len(self.play("libmaze.so")["returns"]), 20)


class Learns(program.Case):
    def test_the_maze(self):
        self.run_program("train", "--env", plugin("maze"), "--frames", "50000", "--quiet", "--run-dir", "run")
        # An agent that walks at random scores below 0; the shortest ways score 0.9.
        evaluation = json.loads((self.folder / "run" / "evaluation.json").read_text())
        self.assertGreater(evaluation["mean"], 0.7)
        stdout, _ = self.run_program("evaluate", "run", "--episodes", "5")
        self.assertIn("5 episodes", stdout)


class Resumed(program.Case):
    """Stopped and resumed, bit for bit as if nothing had happened."""

    RUN = [
        *TINY, *program.DETERMINISTIC, "--frames", "16000",
        "--set", "optimizer.decay_updates=3000", "--set", "checkpoint.every_frames=2000",
    ]  # fmt: skip

    def compare(self, *changes):
        self.assert_resumes_exactly([*self.RUN, *changes], 4000)

    def test_by_replay(self):
        self.compare("--env", plugin("maze"))

    def test_from_the_plugins_own_state(self):
        self.compare("--env", plugin("paddle"))

    def test_another_library_at_its_place_is_refused(self):
        library = self.folder / "libgame.so"
        shutil.copy(PLUGINS / "libmaze.so", library)
        process = self.start("train", *self.RUN, "--env", "plugin:./libgame.so", "--run-dir", "run")
        self.kill_at_checkpoint(process, self.folder / "run", 4000)
        library.unlink()
        shutil.copy(PLUGINS / "libpaddle.so", library)
        self.assert_refused(["resume", "run"], "libgame.so", "this run began with")
        library.unlink()
        self.assert_refused(["resume", "run"], "libgame.so", "does not exist")


class Refused(program.Case):
    def refuse(self, name, *fragments):
        self.assert_refused(["train", *TINY, "--env", name, "--run-dir", "run"], *fragments)

    def test_what_is_not_a_plugin(self):
        (self.folder / "text.so").write_text("a game\n")
        self.refuse("plugin:libmaze.so", "with a '/' in it")
        self.refuse("plugin:./missing.so", "missing.so", "does not exist")
        self.refuse("plugin:./text.so", "text.so", "is not a shared library")
        self.refuse(plugin("test_plugin_no_symbol"), "has no function gorila_env_get_api")
        self.refuse(plugin("test_plugin_abi"), "has ABI 99; expected 1")
        self.refuse(plugin("test_plugin_size"), "a table of struct_size 40")
        self.refuse(plugin("test_plugin_own_process"), "use plugin-process:")

    def test_options_that_the_plugin_refuses(self):
        name = plugin("maze")
        self.assert_refused(
            ["train", "--env", name, "--set", "environment.kwargs={\"max_steps\": 0}"],
            "libmaze.so", "max_steps must be a number from 1 to 1000000",
        )  # fmt: skip

    def test_deterministic_runs_of_a_game_that_does_not_repeat_itself(self):
        self.refuse_deterministic(plugin("test_plugin_not_deterministic"))
        self.refuse_deterministic(plugin("test_plugin"), "--set", "environment.kwargs={\"forget\":1}")

    def refuse_deterministic(self, name, *changes):
        self.assert_refused(["train", *TINY, "--deterministic", "--env", name, *changes], name)

    def test_a_plugin_that_calls_exit_is_no_success(self):
        _, stderr = self.run_program(
            "train", *TINY, "--env", plugin("test_plugin"), "--run-dir", "run",
            "--set", 'environment.kwargs={"exit_at":9}', expect=1,
        )  # fmt: skip
        self.assertIn("called exit(), a plug-in perhaps", stderr)

    def test_a_plugin_that_breaks_stops_the_run_with_its_words(self):
        for kwargs, words in [
            ('{"fail_at":9}', "step failed with code 7: out of fuel"),
            ('{"nan_at":9}', "observation[2] is nan"),
            ('{"nan_reward_at":9}', "the reward 1e+300"),
        ]:
            _, stderr = self.run_program(
                "train", *TINY, "--env", plugin("test_plugin"), "--set", f"environment.kwargs={kwargs}",
                "--quiet", "--run-dir", words[:4], expect=1,
            )  # fmt: skip
            self.assertIn("libtest_plugin.so", stderr)
            self.assertIn(words, stderr)


if __name__ == "__main__":
    program.main()
