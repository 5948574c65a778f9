"""gorila sweep: many settings in one folder, several runs at once, stopped and resumed."""

import json
import os
import pathlib
import re
import signal
import subprocess
import textwrap

import program


def without(arguments, *names):
    """The arguments without the options (or keys of --set) that are named."""
    kept = []
    for name, value in zip(arguments[::2], arguments[1::2]):
        if name not in names and value.split("=")[0] not in names:
            kept += [name, value]
    return kept


SETTINGS = without(program.TINY, "--env", "--frames", "optimizer.learning_rate")
SMALL = [*SETTINGS, "--deterministic"]
RATES = ["--set", "optimizer.learning_rate=1e-3,0.002"]
STEPS = ["--set", "learner.n_step=1,3"]
QUICK = [*SMALL, "--frames", "3200"]
SWEEP = ["sweep", "classic/catch", "--folder", "sweeps/a", "--jobs", "2", *RATES, *STEPS]
LONG = [*SMALL, "--frames", "30000", "--set", "checkpoint.every_frames=1000"]
CATCH = pathlib.Path("sweeps", "a", "classic-catch")


def result(run):
    return (run / "metrics.jsonl").read_bytes(), (run / "final.safetensors").read_bytes()


def children(process):
    """The numbers of a process's children, and what they were started with."""
    found = {}
    for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        try:
            for pid in (task / "children").read_text().split():
                command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
                found[int(pid)] = command.decode().split("\0")[:-1]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
    return found


class Case(program.Case):
    def runs(self, folder=CATCH):
        return sorted(path.parent for path in (self.folder / folder).rglob("evaluation.json"))

    def train(self, *arguments):
        """What one run of its own gives with these settings."""
        self.run_program("train", "--env", "classic/catch", "--run-dir", "alone", *arguments, "--quiet")
        return result(self.folder / "alone")

    def assert_no_child_is_left(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
                place = os.readlink(f"/proc/{pid}/cwd")
            except OSError:
                continue
            self.assertFalse(b"train" in command and place == str(self.folder), command)


class Grids(Case):
    def test_every_point_is_trained_with_every_seed_and_compared(self):
        stdout, stderr = self.run_program(*SWEEP, *QUICK, "--seeds", 2, "--protocols", "epsilon-0.05")
        self.assertEqual(stderr, "")
        runs = [
            self.folder / CATCH / f"n_step-{n},learning_rate-{rate}" / f"seed{seed}"
            for n in (1, 3) for rate in ("0.001", "0.002") for seed in (1, 2)
        ]  # fmt: skip
        self.assertEqual(self.runs(), sorted(runs))
        for run in runs:
            self.assertTrue((run / "evaluations" / "epsilon-0.05.json").exists())
        self.assertIn("2 runs at once: 1 thread each", stdout)
        self.assertRegex(stdout, r"\nrun +game +n_step +learning_rate +seed +score +took\n")
        for row in range(1, 9):
            self.assertRegex(stdout, rf"\n{row}/8 +classic/catch +[13] +0.00[12] +[12] +-?\d+\.\d\d")
        self.assertRegex(stdout, r"\nn_step +learning_rate +seeds +mean +lowest +highest\n")
        means = re.findall(r"\n[13] +0.00[12] +2 +(-?\d+\.\d+) ", stdout)
        self.assertEqual(len(means), 4)
        self.assertEqual(means, sorted(means, key=float, reverse=True))
        report = (self.folder / "sweeps/a/report.html").read_text()
        for n in (1, 3):
            self.assertIn(f"n_step={n}, learning_rate=0.001", report)

        # Each is the run that gorila train makes.
        alone = self.train(*QUICK, "--seed", 2, "--set", "learner.n_step=3", "--set", "optimizer.learning_rate=0.002")
        self.assertEqual(result(runs[-1]), alone)

        # Again, with one more value: only its runs are new.
        before = {run: result(run) for run in runs}
        more = ["--set", "learner.n_step=5,1,3"]
        stdout, _ = self.run_program(*SWEEP[:-2], *more, *QUICK, "--seeds", 2)
        self.assertIn("12 runs in 'sweeps/a', of which 8 are done\n", stdout)
        self.assertEqual(len(self.runs()), 12)
        self.assertEqual({run: result(run) for run in runs}, before)

    def test_runs_begin_with_labels(self):
        stdout, _ = self.run_program(
            *SWEEP[:-2], *QUICK, "--name", "-night", "--note", "a note", "--tag", "x", "--tag=y", "--quiet"
        )
        for rate in ["0.001", "0.002"]:
            labels = (self.folder / CATCH / f"learning_rate-{rate}" / "seed1" / "labels.toml").read_text()
            self.assertIn(f'name = "-night classic-catch learning_rate-{rate} seed1"', labels)
            self.assertIn('note = "a note"', labels)
            self.assertRegex(labels, r'tags = \[ ?"x", "y" ?\]')
        # Those that there are keep theirs, and what cannot be a name makes nothing.
        self.run_program(*SWEEP[:-2], *QUICK, "--seeds", 2, "--tag", "z", "--quiet")
        self.assertEqual(self.run_program("runs", "--csv", "--filter", "tag=z", "sweeps/a")[0].count("seed2"), 2)
        self.assertNotIn("seed1", self.run_program("runs", "--csv", "--filter", "tag=z", "sweeps/a")[0])
        refused = ["sweep", "classic/catch", "--folder", "f", *RATES, *QUICK, "--name", "x" * 70]
        self.assert_refused(refused, "learning_rate-0.001 seed1", "at most 100")

    def test_several_games(self):
        games = ["classic/catch", "classic/cart_pole"]
        stdout, _ = self.run_program("sweep", *games, *RATES, *QUICK, "--jobs", 1, "--folder", "sweeps/a", "--quiet")
        for game in games:
            folder = pathlib.Path("sweeps", "a", game.replace("/", "-"))
            self.assertEqual(len(self.runs(folder)), 2)
            self.assertIn(f"{game}, mean score over seeds", stdout)

    def test_random_points_are_the_same_each_time(self):
        def points(*arguments):
            stdout, _ = self.run_program(
                "sweep", "classic/catch", "--folder", "f", "--print", *QUICK,
                "--set", "optimizer.learning_rate=1e-4..1e-2", *STEPS, *arguments,
            )  # fmt: skip
            return re.findall(r"/(n_step-[^/]+)/seed1 ", stdout)

        five = points("--random", 5)
        self.assertEqual(len(set(five)), 5)
        self.assertEqual(points("--random", 5), five)
        self.assertEqual(points("--random", 8)[:5], five)
        self.assertNotEqual(points("--random", 5, "--random-seed", 2), five)
        for label in five:
            self.assertRegex(label, r"^n_step-[13],learning_rate-0\.00\d+$")
        self.assertEqual(program.snapshot(self.folder), {}, "--print wrote something")

    def test_the_examples_of_the_help_work(self):
        for verb in ["sweep", "suite"]:
            text, _ = self.run_program("help", verb)
            examples = re.findall(rf"^  gorila ({verb} .*--folder.*)$", text, re.MULTILINE)
            self.assertGreaterEqual(len(examples), 4)
            for example in examples:
                if "atari" in example:  # not in every build
                    continue
                with self.subTest(example):
                    self.run_program(*example.split(), "--print")

    def test_bad_input(self):
        base = ["classic/catch", "--folder", "f", *QUICK]
        rates = [*base, *RATES]
        for arguments, *fragments in [
            (base, "nothing varies", "gorila suite"),
            ([*base, "--set", "learner.n_step=1"], "nothing varies"),
            ([*base, "--set", "learner.n_stepp=1,3"], "learner.n_stepp", "learner.n_step"),
            ([*base, "--set", "learner.n_step=1,1"], "learner.n_step", "twice"),
            ([*base, "--set", "optimizer.learning_rate=1e-3,0.001"], "optimizer.learning_rate", "twice"),
            ([*base, "--set", "learner.n_step=1,,3"], "learner.n_step", "empty value"),
            ([*base, "--set", "learner.n_step="], "learner.n_step", "empty value"),
            ([*rates, *RATES], "optimizer.learning_rate", "given twice"),
            ([*base, "--set", "run.seed=1,2"], "--seeds N"),
            ([*base, "--set", "environment.name=classic/catch,classic/cart_pole"], "games are arguments"),
            ([*rates, "--set", "environment.name=classic/cart_pole"], "games are arguments"),
            ([*base, "--set", "checkpoint.keep=1,2"], "checkpoint.keep", "does not change what is learnt"),
            ([*base, "--set", "run.frames=3200,6400"], "--frames", "run.frames"),
            ([*base, "--set", "learner.n_step=1,9999"], "learner.n_step", "9999"),
            # It contradicts another key: the point is named.
            (
                [*base[:3], *without(SETTINGS, "replay.capacity"), "--set", "replay.capacity=4000,100"],
                "capacity-100", "replay.capacity",
            ),
            ([*base, "--set", "optimizer.learning_rate=1e-4..1e-2"], "--random N"),
            ([*rates, "--random", "5"], "the grid has 2 points"),
            ([*rates, "--random-seed", "5"], "--random N"),
            ([*rates, "--random", "0"], "--random"),
            ([*rates, "--jobs", "0"], "--jobs"),
            ([*rates, "--jobs", "2", "--set", "run.cpus=0"], "--jobs is 2", "run.cpus is 0"),
            ([*base, "--set", 'run.cpus="any","0"'], "run.cpus", "does not change what is learnt"),
            ([*rates, "--init-from", "nothing"], "nothing"),
            ([*rates, "--engine", "slurmm"], "slurmm", "local, slurm"),
            ([*rates, "--protocols", "noop3"], "noop3", "noop30"),
            (["classic/catsh", *rates[1:]], "classic/catsh", "classic/catch"),
            (["--folder", "f", *QUICK, *RATES], "GAME"),
            ([*rates, "--seeds", "1000", "--set", "learner.n_step=1,2,3,4,5,6"], "12000 runs"),
        ]:
            with self.subTest(arguments=arguments):
                self.assert_refused(["sweep", *arguments], *fragments)

    def test_a_folder_of_other_settings_is_refused(self):
        sweep = ["sweep", "classic/catch", "--folder", "f", *QUICK]
        self.run_program(*sweep, *RATES)
        self.assert_refused([*sweep, *RATES, "--set", "learner.batch_size=7"], "other settings", "learner.batch_size")
        self.assert_refused([*sweep, *STEPS], "a sweep over optimizer.learning_rate")
        self.assert_refused(["suite", "classic/catch", "--folder", "f", *QUICK], "a sweep over")
        self.assert_refused([*sweep[:3], str(self.runs("f")[0]), *QUICK, *RATES], "is a run")


class Stopped(Case):
    """Every run ends as the run that nobody stopped."""

    def check_results(self, arguments=LONG):
        runs = self.runs()
        self.assertEqual(len(runs), 4)
        alone = self.train(*arguments, "--set", "learner.n_step=1", "--set", "optimizer.learning_rate=1e-3")
        self.assertEqual(result(self.folder / CATCH / "n_step-1,learning_rate-0.001" / "seed1"), alone)

    def first_two(self):
        return [self.folder / CATCH / f"n_step-1,learning_rate-{rate}" / "seed1" for rate in ("0.001", "0.002")]

    def wait_for_checkpoints(self, process):
        self.wait_until(lambda: all(program.newest_checkpoint(run) > 0 for run in self.first_two()), process)

    def test_ctrl_c_ends_every_run_with_a_checkpoint(self):
        process = self.start(*SWEEP, *LONG)
        self.wait_for_checkpoints(process)
        process.send_signal(signal.SIGINT)
        status, _, stderr = self.finish(process)
        self.assertEqual(status, 130, stderr)
        self.assertIn("run the same command again to resume the sweep", stderr)
        self.assert_no_child_is_left()
        for run in self.first_two():
            self.assertIn("stopped at", run.with_name("seed1.log").read_text())
        self.run_program(*SWEEP, *LONG)
        self.check_results()

    def test_a_killed_run_is_named_and_the_others_continue(self):
        process = self.start(*SWEEP, *LONG)
        self.wait_for_checkpoints(process)
        victim = [pid for pid, command in children(process).items() if "learning_rate-0.001" in str(command)]
        os.kill(victim[0], signal.SIGKILL)
        status, stdout, stderr = self.finish(process)
        self.assertEqual(status, 1, stderr)
        self.assertIn("n_step-1,learning_rate-0.001/seed1: was killed by signal 9\n", stderr)
        self.assertIn("its log is 'sweeps/a/classic-catch/n_step-1,learning_rate-0.001/seed1.log'", stderr)
        self.assertIn("1 of 4 runs failed", stderr)
        self.assertEqual(len(self.runs()), 3)
        self.assertIn("report: sweeps/a/report.html", stdout)
        self.assertGreater(program.newest_checkpoint(self.first_two()[0]), 0)
        self.run_program(*SWEEP, *LONG)
        self.check_results()

    def test_a_killed_sweep_loses_nothing(self):
        process = self.start(*SWEEP, *LONG)
        self.wait_for_checkpoints(process)
        process.send_signal(signal.SIGKILL)
        # At once, while its runs may still write their checkpoints.
        _, stderr = self.run_program(*SWEEP, *LONG)
        self.assertNotIn("no checkpoint yet", self.first_two()[0].with_name("seed1.log").read_text())
        self.check_results()
        self.finish(process)

    def test_a_run_that_diverges_is_named_with_the_end_of_its_log(self):
        sweep = [
            "sweep", "classic/catch", "--folder", "sweeps/a", *SMALL, "--frames", "12000",
            "--set", "optimizer.learning_rate=0.002,1000", "--set", "optimizer.name=sgd", "--set", "learner.loss=squared",
        ]  # fmt: skip
        stdout, stderr = self.run_program(*sweep, expect=1)
        self.assertIn("learning_rate-1000.0/seed1: the run diverged: ", stderr)
        self.assertIn("its log is 'sweeps/a/classic-catch/learning_rate-1000.0/seed1.log'", stderr)
        self.assertIn("1/2  classic/catch", stdout)
        self.assertIn("report: sweeps/a/report.html", stdout)
        # Nothing is left to do, and it is as wrong as before.
        _, stderr = self.run_program(*sweep, expect=1)
        self.assertIn("1 of the finished runs learnt nothing or diverged", stderr)

    def test_runs_that_begin_with_a_trained_network(self):
        self.run_program("train", "--env", "classic/catch", *QUICK, "--run-dir", "source", "--quiet")
        sweep = [*SWEEP, *LONG, "--init-from", "source"]
        process = self.start(*sweep)
        self.wait_for_checkpoints(process)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process)[0], 130)
        self.run_program(*sweep)
        self.check_results([*LONG, "--init-from", "source"])
        stdout, _ = self.run_program(*sweep)
        self.assertIn("of which 4 are done", stdout)
        # The folder's runs do not need the source any more; further ones must begin with the same.
        source = self.folder / "source"
        source.rename(self.folder / "away")
        stdout, _ = self.run_program(*sweep)
        self.assertIn("of which 4 are done", stdout)
        seeds = [*sweep, "--seeds", "3"]
        _, stderr = self.run_program(*seeds, expect=1)
        self.assertIn("no such file or folder", stderr)
        self.run_program("train", "--env", "classic/catch", *QUICK, "--seed", "9", "--run-dir", "source", "--quiet")
        _, stderr = self.run_program(*seeds, expect=1)
        self.assertIn("is not what it was when it was recorded", stderr)

    def test_a_suite_with_jobs_resumes_too(self):
        suite = ["suite", "classic/catch", "--seeds", "2", "--folder", "suite", "--jobs", "2", *LONG,
                 "--set", "optimizer.learning_rate=1e-3"]  # fmt: skip
        runs = [self.folder / "suite" / "classic-catch" / f"seed{seed}" for seed in (1, 2)]
        process = self.start(*suite)
        self.wait_until(lambda: all(program.newest_checkpoint(run) > 0 for run in runs), process)
        process.send_signal(signal.SIGINT)
        status, _, stderr = self.finish(process)
        self.assertEqual(status, 130, stderr)
        self.assertIn("resume the suite", stderr)
        one_process = [word for i, word in enumerate(suite) if "--jobs" not in suite[max(i - 1, 0) : i + 1]]
        stdout, _ = self.run_program(*one_process)
        self.assertIn("next: gorila scores suite", stdout)
        self.assertEqual(result(runs[0]), self.train(*LONG, "--set", "optimizer.learning_rate=1e-3"))


class Slurm(Case):
    """With an sbatch that runs an array's tasks one after the other."""

    SBATCH = """#!/bin/bash
script=${@: -1}
last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' "$script")
for ((task = 0; task <= last; task++)); do
  SLURM_ARRAY_TASK_ID=$task bash "$script" || echo "$task: $?" >>failed
done
echo 71
"""

    def test_a_task_each_run(self):
        folder = self.folder / "bin"
        folder.mkdir()
        (folder / "sbatch").write_text(self.SBATCH)
        (folder / "sbatch").chmod(0o755)
        environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
        sweep = [*SWEEP, *QUICK, "--engine", "slurm"]
        printed, _ = self.run_program(*sweep, "--print")
        self.assertIn("#SBATCH --array=0-3%2\n", printed)
        self.assertFalse((self.folder / "sweeps").exists())
        stdout, _ = self.run_program(*sweep, environment=environment)
        self.assertIn("submitted job 71: an array of 4 tasks", stdout)
        self.assertFalse((self.folder / "failed").exists())
        self.assertEqual(len(self.runs()), 4)

        # One is lost: only that one is submitted again.
        lost = self.runs()[0]
        before = {run: result(run) for run in self.runs()}
        (lost / "evaluation.json").unlink()
        stdout, _ = self.run_program(*sweep, environment=environment)
        self.assertIn("an array of 1 tasks", stdout)
        self.assertEqual({run: result(run) for run in self.runs()}, before)

        stdout, _ = self.run_program(*SWEEP, *QUICK)
        self.assertIn("4 runs in 'sweeps/a', of which 4 are done", stdout)
        self.assertIn("report: sweeps/a/report.html", stdout)


class Kubernetes(Case):
    SWEEP = [*SWEEP, *QUICK, "--engine", "kubernetes"]

    def test_what_is_applied_is_what_is_printed(self):
        folder = self.folder / "bin"
        folder.mkdir()
        (folder / "kubectl").write_text('#!/bin/bash\nprintf "%s\\n" "$@" >called; echo applied\n')
        (folder / "kubectl").chmod(0o755)
        printed, _ = self.run_program(*self.SWEEP, "--print")
        self.assertFalse((self.folder / "sweeps").exists())
        stdout, _ = self.run_program(*self.SWEEP, environment={"PATH": f"{folder}:{os.environ['PATH']}"})
        self.assertTrue(stdout.startswith("applied\n"), stdout)
        manifests = self.folder / "sweeps" / "a" / "manifests.yaml"
        self.assertEqual(manifests.read_text(), printed)
        self.assertIn("completions: 4\n", printed)
        self.assertIn("parallelism: 2\n", printed)
        self.assertEqual((self.folder / "called").read_text().split()[:2], ["apply", "--filename"])

    def test_a_pod_trains_its_run(self):
        labels = ["--tag", "a", "--note", "it's 5 $HOME \"quoted\"", "--name", "\u00fcber"]
        printed, _ = self.run_program(*self.SWEEP, *labels, "--print")
        # As a pod has them: files in a folder, and the index in a variable.
        config = self.folder / "etc"
        config.mkdir()
        for name, text in re.findall(r"\n  (\d+\.(?:toml|run)): \|\n((?:    .*\n)+)", printed):
            (config / name).write_text(textwrap.dedent(text))
        script = json.loads(re.search(r'- (".*read -r run; .*")\n', printed).group(1))
        script = script.replace("/etc/gorila/runs", str(config))
        script = script.replace("/var/lib/gorila", str(self.folder / "sweeps/a"))
        bin_folder = self.folder / "bin"
        bin_folder.mkdir()
        (bin_folder / "gorila").symlink_to(program.PROGRAM)
        for index in range(4):
            environment = {**os.environ, "JOB_COMPLETION_INDEX": str(index), "PATH": f"{bin_folder}:{os.environ['PATH']}"}
            subprocess.run(["/bin/sh", "-c", script], env=environment, cwd=self.folder, check=True,
                           capture_output=True, timeout=program.DEADLINE)  # fmt: skip
        self.assertEqual(len(self.runs()), 4)
        for run in self.runs():
            said, _ = self.run_program("label", run.relative_to(self.folder))
            self.assertIn("name '\u00fcber classic-catch n_step-", said)
            self.assertIn("; tag a; note 'it's 5 $HOME \"quoted\"'", said)
        stdout, _ = self.run_program(*SWEEP, *QUICK)
        self.assertIn("4 runs in 'sweeps/a', of which 4 are done", stdout)

    def test_bad_names(self):
        sweep = ["sweep", "classic/catch", *RATES, *QUICK, "--engine", "kubernetes", "--folder"]
        self.assert_refused([*sweep, "My_Sweep"], "My_Sweep", "names the Kubernetes objects")


class Resumed(Case):
    """gorila train --resume"""

    def test_begins_and_then_resumes_the_run(self):
        train = ["train", "--env", "classic/catch", *LONG, "--run-dir", "run", "--resume", "--quiet"]
        process = self.start(*train)
        self.wait_until(lambda: program.newest_checkpoint(self.folder / "run") > 0, process)
        process.send_signal(signal.SIGKILL)
        self.finish(process)
        self.run_program(*train)
        self.assertEqual(result(self.folder / "run"), self.train(*LONG))
        before = program.snapshot(self.folder / "run")
        stdout, _ = self.run_program(*train)  # it is finished
        self.assertIn("score", stdout)
        self.assertEqual(program.snapshot(self.folder / "run"), before)
        self.assert_refused([*train, "--set", "network.hidden=[16]"], "network.hidden")

    def test_needs_what_it_began_with_no_more(self):
        self.run_program("train", "--env", "classic/catch", *QUICK, "--run-dir", "source", "--quiet")
        train = ["train", "--env", "classic/catch", *QUICK, "--init-from", "source", "--run-dir", "run",
                 "--resume", "--quiet"]  # fmt: skip
        self.run_program(*train)
        (self.folder / "source").rename(self.folder / "away")
        stdout, _ = self.run_program(*train)
        self.assertIn("score", stdout)
        _, stderr = self.run_program(*train, "--init-from", "away", expect=2)
        self.assertIn("it takes effect only when a run starts", stderr)

    def test_needs_a_folder(self):
        self.assert_refused(["train", "--env", "classic/catch", "--resume"], "--run-dir")


if __name__ == "__main__":
    program.main()
