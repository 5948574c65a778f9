"""Environments that are not ours: in Python, hosted by worker processes."""

import pathlib
import signal
import sys
import time

import program

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
            if b"gorila_worker.py" in (folder / "cmdline").read_bytes():
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
        results = {}
        for name in ["killed", "whole"]:
            once = self.folder / f"{name}.once"
            once.touch()
            kwargs = f'{{"ends": 6, "at": 700, "fault": "exit", "once": "{once}"}}'
            process = self.start(
                "train", *WALK, "--frames", "30000", "--deterministic", "--set", f"environment.kwargs={kwargs}",
                "--set", "checkpoint.every_frames=4000", "--set", "run.metrics_every_frames=1000",
                "--set", "optimizer.decay_updates=3000", "--run-dir", name,
            )  # fmt: skip
            if name == "killed":
                self.kill_at_checkpoint(process, self.folder / name, 8000)
                process = self.start("resume", name)
            status, _, stderr = self.finish(process)
            self.assertEqual(status, 0, stderr)
            self.assertFalse(once.exists())
            run = self.folder / name
            metrics = (run / "metrics.jsonl").read_text().replace(str(once), "ONCE")
            results[name] = metrics, (run / "final.safetensors").read_bytes()
        self.assertEqual(results["killed"][0], results["whole"][0])
        self.assert_no_worker_is_left()

    def test_workers_end_with_a_run_that_is_killed_or_interrupted(self):
        for name, number in [("killed", signal.SIGKILL), ("interrupted", signal.SIGINT)]:
            process = self.start("train", *WALK, "--frames", "2000000000", "--run-dir", name)
            self.wait_until(lambda: (self.folder / name / "metrics.jsonl").exists() and self.workers_here(), process)
            process.send_signal(number)
            self.finish(process)
            self.assert_no_worker_is_left()
        self.run_program("resume", "interrupted", "--seconds", "1")

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


if __name__ == "__main__":
    program.main()
