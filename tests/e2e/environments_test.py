"""Environments that are not ours: in Python, hosted by worker processes."""

import json
import os
import pathlib
import signal
import sys
import time

import program

PLUGINS = pathlib.Path(program.PROGRAM).resolve().parent / "plugins"
GAMES = pathlib.Path(__file__).resolve().parent.parent / "python"

WALK = [
    "--env", "python:worker_games:Walk", "--bundles", "2", "--shards", "2",
    "--set", f"environment.python={sys.executable}", "--set", f"environment.python_path={GAMES}",
    "--set", "environment.per_worker=3", "--set", "network.preset=custom", "--set", "network.hidden=[16]",
    "--set", "replay.min_size=500", "--set", "replay.capacity=4000", "--set", "evaluation.episodes=10",
]  # fmt: skip


def workers():
    """Processes that host environments, with their parents."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            if b"gorila_worker.py" in command or b"gorila-plugin-worker" in command:
                found[int(folder.name)] = (folder / "cwd").readlink()
        except OSError:
            pass  # ended meanwhile
    return found


class Case(program.Case):
    def workers_here(self):
        return [pid for pid, folder in workers().items() if pathlib.Path(folder) == self.folder]

    def assert_no_worker_is_left(self):
        deadline = time.monotonic() + program.DEADLINE
        while self.workers_here():
            self.assertLess(time.monotonic(), deadline, "a worker is left")
            time.sleep(0.01)


class Python(Case):
    def test_trains_evaluates_films_and_reports(self):
        self.run_program("train", *WALK, "--frames", "8000", "--run-dir", "run")
        self.assert_no_worker_is_left()
        stdout, _ = self.run_program("evaluate", "run", "--episodes", "40", "--json")
        self.assertIn('"environment": "python:worker_games:Walk"', stdout.replace('":"', '": "'))
        self.run_program("play", "run", "--episodes", "1", "--gif", "film.gif")
        self.assertEqual((self.folder / "film.gif").read_bytes()[:4], b"GIF8")
        self.assert_no_worker_is_left()

    def test_several_are_learnt_by_one_network(self):
        walks = "python:worker_games:Walk,python:worker_games:make_walk"
        self.run_program(
            "train", *WALK, "--env", walks, "--frames", "4000", "--set", "evaluation.episodes=4", "--run-dir", "run"
        )
        self.assert_no_worker_is_left()
        rows = [json.loads(line) for line in (self.folder / "run" / "metrics.jsonl").read_text().splitlines()]
        games = [row for row in rows if row["kind"] == "training"][-1]["games"]
        self.assertEqual(sorted(games), sorted(walks.split(",")))
        self.assertEqual(games[walks.split(",")[0]]["frames"], games[walks.split(",")[1]]["frames"])
        stdout, _ = self.run_program("evaluate", "run", "--game", "make_walk", "--episodes", "3")
        self.assertIn("python:worker_games:make_walk", stdout)
        self.run_program("resume", "run", "--frames", "5000")
        self.assert_no_worker_is_left()

    def test_what_needs_no_environment_starts_none(self):
        self.run_program("train", *WALK, "--frames", "3000", "--run-dir", "run")
        config = self.folder / "run" / "config.toml"
        config.write_text(config.read_text().replace(sys.executable, "/no/such/python"))
        self.run_program("report", "run")
        self.run_program("config", "--config", "run/config.toml")
        self.run_program("export", "run", "--format", "npz", "--output", "network.npz")
        self.run_program("envs")
        self.assert_refused(["evaluate", "run"], "environment.python is '/no/such/python'")

    def test_a_resumed_run_is_the_whole_run_though_its_workers_die(self):
        once = self.folder / "once"
        kwargs = f'{{"ends": 6, "at": 700, "fault": "exit", "once": "{once}"}}'
        self.assert_resumes_exactly(
            [*WALK, "--frames", "30000", "--deterministic", "--set", f"environment.kwargs={kwargs}",
             "--set", "checkpoint.every_frames=4000", "--set", "run.metrics_every_frames=1000",
             "--set", "optimizer.decay_updates=3000"],
            8000, prepare=once.touch,
        )  # fmt: skip
        self.assertFalse(once.exists(), "no worker died")
        self.assert_no_worker_is_left()

    def test_workers_end_with_a_run_that_is_killed_or_interrupted(self):
        for name, number in [("killed", signal.SIGKILL), ("interrupted", signal.SIGINT)]:
            process = self.start("train", *WALK, "--frames", "2000000000", "--run-dir", name)
            self.wait_until(lambda: (self.folder / name / "metrics.jsonl").exists() and self.workers_here(), process)
            process.send_signal(number)
            self.finish(process)
            self.assert_no_worker_is_left()
        self.run_program("resume", "interrupted", "--seconds", "1")

    def test_an_interrupt_does_not_wait_for_an_environment_that_hangs(self):
        once = self.folder / "once"
        once.touch()
        kwargs = f'{{"at": 500, "fault": "hang", "once": "{once}"}}'
        process = self.start(
            "train", *WALK, "--frames", "2000000000", "--run-dir", "run", "--set", f"environment.kwargs={kwargs}",
            "--set", "environment.step_seconds=86400",
        )  # fmt: skip
        self.wait_until(lambda: not once.exists(), process)
        process.send_signal(signal.SIGINT)
        status, _, stderr = self.finish(process)
        self.assertEqual(status, 130, stderr)
        self.assert_no_worker_is_left()
        self.run_program("resume", "run", "--seconds", "1")

    def test_an_environment_that_keeps_failing_stops_the_run_with_its_files_whole(self):
        kwargs = '{"at": 100, "fault": "raise"}'
        _, stderr = self.run_program(
            "train", *WALK, "--frames", "100000", "--run-dir", "run", "--set", f"environment.kwargs={kwargs}", expect=1
        )
        self.assertIn("ValueError: step went wrong", stderr)
        self.assertTrue((self.folder / "run" / "config.toml").read_text().startswith("#"))

    def test_a_module_of_this_folder_is_found(self):
        (self.folder / "my_games.py").write_text(f"import sys\nsys.path.append({str(GAMES)!r})\nfrom worker_games import Walk as Mine\n")
        arguments = [*WALK]
        arguments[arguments.index("python:worker_games:Walk")] = "python:my_games:Mine"
        where = arguments.index(f"environment.python_path={GAMES}")
        del arguments[where - 1 : where + 1]
        self.run_program("train", *arguments, "--frames", "2000", "--run-dir", "run")
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        self.folder, back = elsewhere, self.folder
        self.run_program("evaluate", "../run", "--episodes", "2")
        self.folder = back


    def test_a_python_path_that_is_not_there_is_named(self):
        self.assert_refused(
            ["train", *WALK, "--set", "environment.python_path=no/such", "--run-dir", "run"],
            "environment.python_path: '", "no/such' does not exist",
        )  # fmt: skip


# Episodes of five steps, and what may be wrong with an environment.
OWN = """
import time, numpy

class Space:
    def __init__(self, **fields):
        self.__dict__.update(fields)

class Walk:
    observation_space = Space(shape=(3,), dtype=numpy.dtype("float32"))
    action_space = Space(n=2)
    length = 5
    resets = 0

    def reset(self, *, seed=None, options=None):
        self.at = 0
        self.resets += 1
        return self.see(), {}

    def see(self):
        return numpy.full(3, self.at / self.length, numpy.float32)

    def step(self, action):
        self.at += 1
        return self.see(), float(action), self.at == self.length, False, {}

class Undrawable(Walk):
    def __init__(self, render_mode=None):
        assert render_mode is None

class Unfilmable(Walk):
    asked = False

    def __init__(self, render_mode=None):
        Unfilmable.asked = self.asked or render_mode is not None
        if self.asked:
            raise ValueError("no film here")

class SlowReset(Walk):
    slept = False

    def reset(self, *, seed=None, options=None):
        if self.resets == 7 and not self.slept:
            SlowReset.slept = True
            time.sleep(3)
        return super().reset()

class FailsLate(Walk):
    length = 3000

    def step(self, action):
        if self.at == 2600:
            raise IndexError("late")
        return super().step(action)

class Wide(Walk):
    observation_space = Space(shape=(3,), dtype=numpy.dtype("uint8"))

    def see(self):
        return numpy.full(3, 300, numpy.uint16)

class Bytes(Walk):
    observation_space = Space(shape=(3,), dtype=numpy.dtype("uint8"))

    def see(self):
        return numpy.full(3, 50 * self.at, numpy.uint8)
"""


class Own(Case):
    """Environments that are in order, though not as one might expect."""

    def setUp(self):
        super().setUp()
        (self.folder / "own.py").write_text(OWN)

    def train(self, name, *more, frames=1200, expect=0):
        return self.run_program(
            "train", "--env", f"python:own:{name}", "--bundles", "1", "--frames", frames, "--run-dir", "run",
            "--set", f"environment.python={sys.executable}", "--set", "network.preset=custom",
            "--set", "network.hidden=[16]", "--set", "replay.min_size=500", "--set", "replay.capacity=4000",
            "--set", "evaluation.episodes=2", *more, expect=expect,
        )  # fmt: skip

    def test_one_that_cannot_draw_itself_is_filmed_by_its_observations(self):
        self.train("Undrawable")
        self.assertGreater((self.folder / "run" / "episode.gif").stat().st_size, 0)

    def test_a_film_that_cannot_be_made_costs_no_run(self):
        _, stderr = self.train("Unfilmable")
        self.assertRegex(stderr, "no film of an episode was made: .*ValueError: no film here")
        self.assertTrue((self.folder / "run" / "evaluation.json").exists())
        self.assertFalse((self.folder / "run" / "episode.gif").exists())
        stdout, _ = self.run_program("report", "run", "--html", "page.html")
        self.assertIn("page.html", stdout)

    def test_a_reset_after_an_episode_has_the_time_of_a_reset(self):
        _, stderr = self.train("SlowReset", "--set", "environment.step_seconds=2")
        self.assertNotIn("trying again", stderr)

    def test_an_episode_that_is_lost_again_and_again_ends_the_evaluation(self):
        _, stderr = self.train("FailsLate", "--set", "evaluation.best=false", expect=1)
        self.assertIn("episode 0 was lost 3 times, at last: ", stderr)
        self.assertIn("IndexError: late", stderr)

    def test_numbers_that_do_not_fit_or_are_large_are_said(self):
        python = ["--set", f"environment.python={sys.executable}"]
        stdout, stderr = self.run_program("envs", "check", "python:own:Wide", *python, expect=1)
        self.assertIn("dtype uint16", stdout + stderr)
        stdout, _ = self.run_program("envs", "check", "python:own:Bytes", *python)
        self.assertIn("reads bytes as numbers up to 250", stdout)

    def test_python_path_comes_before_the_present_folder(self):
        other = self.folder / "other"
        other.mkdir()
        (other / "own.py").write_text(OWN.replace("class Walk:", "class Other:\n    pass\n\nclass Walk:"))
        _, stderr = self.train("Other", expect=2)
        self.assertIn("module own has no 'Other'", stderr)
        path = ["--set", f"environment.python_path={other}"]
        self.run_program("envs", "check", "python:own:Walk", *path, "--set", f"environment.python={sys.executable}")
        _, stderr = self.train("Other", *path, expect=2)
        self.assertNotIn("has no 'Other'", stderr)

    def test_a_signal_to_all_processes_does_not_end_workers(self):
        process = self.start(
            "train", "--env", "python:own:Walk", "--bundles", "1", "--frames", 10**8, "--run-dir", "run",
            "--set", f"environment.python={sys.executable}", "--set", "network.preset=custom",
            "--set", "network.hidden=[16]", "--set", "replay.min_size=500", "--set", "replay.capacity=4000",
            "--set", "evaluation.every_frames=0", "--set", "evaluation.best=false",
            "--set", "run.metrics_every_seconds=0.5",
        )  # fmt: skip
        log = self.folder / "run" / "metrics.jsonl"
        self.wait_until(lambda: log.exists() and log.stat().st_size > 0, process)
        hosts = self.workers_here()
        self.assertTrue(hosts)
        for host in hosts:
            os.kill(host, signal.SIGTERM)
            os.kill(host, signal.SIGHUP)
        size = log.stat().st_size
        self.wait_until(lambda: log.stat().st_size > size, process)
        self.assertEqual(sorted(self.workers_here()), sorted(hosts))
        process.send_signal(signal.SIGTERM)
        _, _, stderr = self.finish(process)
        self.assertNotIn("trying again", stderr)
        self.assertIn("stopped at", stderr)
        self.assert_no_worker_is_left()


class Unrepeatable(Case):
    """An environment that gives something else for the same seed and actions."""

    GAME = [*WALK, "--env", "python:worker_games:Unrepeatable"]

    def test_deterministic_runs_are_refused(self):
        self.assert_refused(
            ["train", *self.GAME, "--deterministic", "--run-dir", "run"], "run.deterministic is true", "does not repeat"
        )

    def test_other_runs_resume_with_new_episodes(self):
        _, stderr = self.run_program("train", *self.GAME, "--frames", "4000", "--run-dir", "run")
        self.assertIn("a resumed run begins new episodes", stderr)
        self.run_program("resume", "run", "--frames", "8000")


class Launched(Case):
    """With a process for each role."""

    def test_every_role_has_workers_where_it_needs_them(self):
        _, stderr = self.run_program(
            "launch", *WALK, "--frames", "12000", "--run-dir", "run", "--actors", "1", "--learners", "1",
            "--replays", "1", "--bundles", "1",
        )  # fmt: skip
        self.assertTrue((self.folder / "run" / "final.safetensors").exists(), stderr)
        self.assert_no_worker_is_left()


class Refused(Case):
    def refuse(self, name, *fragments, sets=()):
        arguments = ["train", "--run-dir", "run", *WALK, "--env", name]
        for one in sets:
            arguments += ["--set", one]
        self.assert_refused(arguments, *fragments)

    def test_names_and_options_that_cannot_be(self):
        self.refuse("gymnasium:", "gymnasium:CartPole-v1")
        self.refuse("python:module", "python:MODULE:CALLABLE")
        self.refuse("python:no_such_module:X", "No module named 'no_such_module'")
        self.refuse("python:worker_games:Nothing", "'Nothing'")
        self.refuse("python:worker_games:DictObservations", "FlattenObservation")
        self.refuse("python:worker_games:Walk", "environment.kwargs", sets=["environment.kwargs=[1]"])
        self.refuse("python:worker_games:Walk", "environment.grey", sets=["environment.grey=yes"])
        self.refuse("python:worker_games:Walk", "/no/python", sets=["environment.python=/no/python"])

    def test_another_environment_on_resume(self):
        self.run_program("train", *WALK, "--frames", "2000", "--run-dir", "run")
        self.assert_refused(
            ["resume", "run", "--frames", "4000", "--set", 'environment.kwargs={"ends": 9}'], "environment.kwargs"
        )


class Checked(Case):
    """gorila envs check."""

    def check(self, name, *sets, expect=0, steps=2000):
        arguments = ["envs", "check", name, "--steps", str(steps), "--seconds", "60"]
        for one in [f"environment.python={sys.executable}", f"environment.python_path={GAMES}", *sets]:
            arguments += ["--set", one]
        stdout, stderr = self.run_program(*arguments, expect=expect)
        self.assert_no_worker_is_left()
        self.assertEqual("FAILED" in stdout, expect == 1, stdout)
        verdict = "is not fit for training" if expect else "is fit for training"
        self.assertIn(f"{name} {verdict}", stdout.splitlines()[-1])
        return {line[:16].strip(): line[18:] for line in stdout.splitlines()[:-1]}, stderr

    def test_an_environment_in_order(self):
        lines, stderr = self.check("python:worker_games:Walk")
        self.assertEqual(stderr, "")
        self.assertRegex(lines["what it is"], r"^ok +python 3\S+, numpy \S+; observations \(4\) of float32, 3 actions")
        self.assertRegex(lines["repeats itself"], "^ok ")
        self.assertRegex(lines["episodes"], r"^ok +\d+ terminated, \d+ truncated; of 1 to 9 steps")
        self.assertRegex(lines["save and restore"], "^ok ")
        self.assertIn("it gives none", lines["pictures"])
        self.assertRegex(lines["its process"], "^ok ")

    def test_our_own_games_and_large_pictures(self):
        lines, _ = self.check("minatar/breakout")
        self.assertNotIn("its process", lines)
        lines, _ = self.check("python:worker_games:Screen")
        self.assertIn("(210, 160, 3) of uint8, 2 actions (STAY, GO); the network sees 1x84x84, 4 of them", lines["what it is"])
        self.assertIn("160x210, its own", lines["pictures"])

    def test_what_training_may_suffer_from(self):
        lines, _ = self.check("python:worker_games:Unrepeatable")
        self.assertRegex(lines["repeats itself"], "^warning .*--deterministic is refused")
        lines, _ = self.check("python:worker_games:SharedChance")
        self.assertRegex(lines["repeats itself"], "^warning .*environment.per_worker=1")
        lines, _ = self.check("python:worker_games:SharedChance", "environment.per_worker=1")
        self.assertRegex(lines["repeats itself"], "^ok ")

    def test_failures_and_deaths(self):
        kwargs = 'environment.kwargs={"at": 500, "fault": "nan"}'
        lines, _ = self.check("python:worker_games:Walk", kwargs, expect=1, steps=8000)
        self.assertRegex(lines["random steps"], "^FAILED .*a reward of nan")
        self.assertNotIn("speed", lines)
        once = self.folder / "once"
        for fault in ["exit", "hang", "raise"]:
            once.touch()
            kwargs = f'{{"at": 150, "fault": "{fault}", "once": "{once}"}}'
            lines, _ = self.check("python:worker_games:Walk", f"environment.kwargs={kwargs}",
                                  "environment.step_seconds=3", expect=1)  # fmt: skip
            died = "0 deaths or hangs, 1 exceptions" if fault == "raise" else "1 deaths or hangs, 0 exceptions"
            self.assertRegex(lines["its process"], f"^FAILED +{died}")

    def test_plug_ins_that_crash_or_write_beyond_their_buffer(self):
        plugin = f"plugin:{PLUGINS / 'libtest_plugin.so'}"
        lines, _ = self.check(plugin)
        self.assertRegex(lines["what it is"], r"test \S+; observations \(4\) of float32")
        self.assertRegex(lines["save and restore"], "^ok ")
        lines, _ = self.check(plugin, 'environment.kwargs={"overflow_at":10}', expect=1)
        self.assertRegex(lines["repeats itself"], "^FAILED .*wrote beyond its observation of 16 bytes")
        lines, stderr = self.check(plugin, 'environment.kwargs={"crash_at":10}', expect=1)
        self.assertIn("ended by signal", stderr)
        self.assertRegex(lines["its process"], r"^FAILED +\d+ deaths")

    def test_what_cannot_be_checked(self):
        for arguments, fragment in [
            (["no/such"], "no/such"), (["python:no_such_module:X"], "no_such_module"), (["plugin:x.so"], "'/'"),
            (["classic/catch", "--steps", "0"], "--steps"), (["classic/catch", "--seconds", "0"], "--seconds"),
            (["classic/catch", "--set", "environment.nothing=1"], "environment.nothing"), ([], "NAME"),
            (["classic/catch", "classic/catch"], "classic/catch"),
        ]:  # fmt: skip
            self.assert_refused(["envs", "check", *arguments], fragment)

    def test_the_tutorials_environment_is_learned(self):
        text = (program.SOURCE / "docs" / "environments.md").read_text()
        (self.folder / "my_games.py").write_text(text.split("```python\n")[1].split("```")[0])
        (self.folder / "gymnasium.py").write_text(GYMNASIUM)
        python = ["--set", f"environment.python={sys.executable}"]
        stdout, _ = self.run_program("envs", "check", "python:my_games:Corridor", *python, "--steps", "5000")
        self.assertNotIn("warning", stdout)
        self.run_program(
            "train", "--env", "python:my_games:Corridor", *python, "--frames", "20000", "--run-dir", "run",
            "--set", "network.preset=custom", "--set", "network.hidden=[32]", "--set", "replay.min_size=500",
            "--set", "optimizer.learning_rate=0.002", "--set", "parameter_server.target_period=100",
            "--deterministic",
        )  # fmt: skip
        evaluation = json.loads((self.folder / "run" / "evaluation.json").read_text())
        self.assertGreater(evaluation["mean"], 0.8)  # every light is found; the best mean is about 0.9


# What the tutorial uses of it.
GYMNASIUM = """
import types
import numpy

class Env:
    def reset(self, seed=None, options=None):
        if seed is not None:
            self.np_random = numpy.random.default_rng(seed)

class Box:
    def __init__(self, low, high, shape, dtype):
        self.shape, self.dtype = shape, numpy.dtype(dtype)

class Discrete:
    def __init__(self, n):
        self.n = n

spaces = types.SimpleNamespace(Box=Box, Discrete=Discrete)
"""


if __name__ == "__main__":
    program.main()
