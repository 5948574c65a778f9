"""Folders of one kind that are given to a verb of another, and results that are older than the state."""

import json
import shutil
import signal

import cluster
import program


class Kinds(cluster.Case):
    """A verb that is given the folder of another kind of run changes nothing."""

    def stop_after(self, process, run, frames):
        log = self.folder / run / "metrics.jsonl"

        def reached():
            rows = log.read_text().splitlines() if log.exists() else []
            return any(json.loads(row).get("frames", 0) >= frames for row in rows if row.endswith("}"))

        self.wait_until(reached, process)
        process.send_signal(signal.SIGINT)
        status, _, stderr = self.finish(process)
        self.assertEqual(status, 130, stderr)

    def launch_and_stop(self, run, *more):
        process = self.start(
            "launch", *cluster.TINY, "--shards", "2", "--frames", "10000000", "--run-dir", run,
            "--set", "run.metrics_every_seconds=0.2", *more,
        )  # fmt: skip
        self.stop_after(process, run, 4000)

    def test_a_launched_run_is_resumed_by_launch_alone(self):
        self.launch_and_stop("launched")
        self.assert_refused(["resume", "launched"], "gorila launch --resume launched")
        self.assert_refused(["resume", "launched", "--frames", "5"], "gorila launch --resume launched")
        for verb in ["train", "launch"]:
            self.assert_refused(
                [verb, *program.TINY[:4], "--run-dir", "launched"], "gorila launch --resume launched"
            )
        # Its network is in the servers' snapshots.
        stdout, _ = self.run_program("evaluate", "launched")
        self.assertIn("launched/servers (versions ", stdout)
        stdout, _ = self.run_program("export", "launched", "--format", "npz")
        self.assertIn("versions", stdout)
        self.run_program("play", "--checkpoint", "launched", "--gif", "a.gif")
        stdout, _ = self.run_program("report", "launched")
        self.assertIn("not finished", stdout)
        before = program.snapshot(self.folder / "launched")
        shutil.move(self.folder / "launched/servers/parameter-server-1", self.folder / "away")
        _, stderr = self.run_program("evaluate", "launched", expect=2)
        self.assertIn("the slice of parameter-server-1", stderr)
        shutil.move(self.folder / "away", self.folder / "launched/servers/parameter-server-1")
        self.assertEqual(program.snapshot(self.folder / "launched"), before)

    def test_flags_change_a_launched_run_or_are_refused_by_name(self):
        self.launch_and_stop("run")
        resume = ["launch", "--resume", "run"]
        self.assert_refused([*resume, "--frames", "10"], "run.frames is 10", "the frames that the run has")
        self.assert_refused([*resume, "--shards", "3"], "parameter_server.shards is 3", "made with 2")
        self.assert_refused([*resume, "--env", "classic/cart_pole"], "environment.name", "classic/catch")
        self.assert_refused([*resume, "--set", "optimizer.name=adagrad"], "optimizer.name", "keep")
        self.assert_refused([*resume, "--set", "network.hidden=[16]"], "network.hidden", "[32]")
        had = max(
            json.loads(row).get("frames", 0)
            for row in (self.folder / "run/metrics.jsonl").read_text().splitlines()
        )
        self.run_program(*resume, "--frames", had + 1000, "--bundles", "1", "--quiet")
        config = (self.folder / "run/config.toml").read_text()
        self.assertIn(f"frames = {had + 1000}\n", config)
        self.assertIn("\nbundles = 1\n", config)
        # Finished: shown again, and made longer.
        _, stderr = self.run_program(*resume)
        self.assertIn("the run is finished", stderr)
        score = json.loads((self.folder / "run/evaluation.json").read_text())
        self.run_program(*resume, "--frames", had + 20000, "--quiet")
        longer = json.loads((self.folder / "run/evaluation.json").read_text())
        self.assertGreaterEqual(longer["frames"], had + 20000)
        self.assertLess(score["frames"], longer["frames"])

    def test_a_trained_run_is_resumed_by_resume_alone(self):
        self.run_program("train", *program.TINY, "--run-dir", "run", "--quiet")
        self.assert_refused(["launch", "--resume", "run"], "gorila resume run")
        self.assert_refused(["launch", *program.TINY[:2], "--run-dir", "run"], "gorila resume run")
        checkpoint = program.checkpoints(self.folder / "run")[-1].relative_to(self.folder)
        self.assert_refused(["resume", str(checkpoint)], "name the run's folder")
        shutil.rmtree(self.folder / "run" / "checkpoints")
        _, stderr = self.run_program("resume", "run", "--frames", "20000", expect=2)
        self.assertIn("no state to resume from", stderr)
        self.assertTrue((self.folder / "run" / "final.safetensors").exists())

    def test_a_suite_is_resumed_by_suite_alone(self):
        (self.folder / "suite").mkdir()
        (self.folder / "suite" / "settings.toml").write_text("")
        for verb in ["resume", "report", "evaluate"]:
            self.assert_refused([verb, "suite"], "gorila suite")


class Superseded(program.Case):
    """A finished run that trains on: its newest state counts, not the result of the old end."""

    def setUp(self):
        super().setUp()
        self.run_program("train", *program.TINY, *program.DETERMINISTIC, "--run-dir", "run", "--quiet")

    def train_on_and_stop(self):
        process = self.start("resume", "run", "--frames", "10000000")
        run = self.folder / "run"
        self.wait_until(lambda: program.newest_checkpoint(run) > 12000, process)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process)[0], 130)
        return program.checkpoints(run)[-1].name

    def test_the_newest_state_counts(self):
        newest = self.train_on_and_stop()
        self.assertFalse((self.folder / "run" / "final.safetensors").exists())
        self.assertFalse((self.folder / "run" / "report.html").exists())
        stdout, _ = self.run_program("evaluate", "run")
        self.assertIn(f"checkpoints/{newest}/parameters.safetensors", stdout)
        stdout, _ = self.run_program("report", "run")
        self.assertIn("not finished", stdout)

    def test_a_final_network_of_an_old_end_that_is_still_there_does_not_count(self):
        final = self.folder / "run" / "final.safetensors"
        shutil.copy(final, self.folder / "kept")
        newest = self.train_on_and_stop()
        shutil.copy(self.folder / "kept", final)
        stdout, _ = self.run_program("evaluate", "run")
        self.assertIn(f"checkpoints/{newest}/parameters.safetensors", stdout)


class Killed(program.Case):
    """A finished run that trains on, killed as it removes the results of its old end."""

    # In the order of their removal.
    RESULTS = ["evaluation.json", "report.html", "curve.svg", "episode.gif", "final.safetensors"]

    def test_no_old_result_is_taken_for_the_newest(self):
        self.run_program("train", *program.TINY, *program.DETERMINISTIC, "--run-dir", "first", "--quiet")
        for name in self.RESULTS:
            with self.subTest(killed_when_gone=name):
                self.kill_when_gone(name)

    def kill_when_gone(self, name):
        run = self.folder / "run"
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(self.folder / "first", run)
        process = self.start("resume", "run", "--frames", "10000000")
        self.wait_until(lambda: not (run / name).exists(), process)
        process.send_signal(signal.SIGKILL)
        self.finish(process)
        # Results go in their order, and all are gone before there is a newer state.
        left = [result for result in self.RESULTS if (run / result).exists()]
        self.assertEqual(left, self.RESULTS[len(self.RESULTS) - len(left):])
        newest = program.newest_checkpoint(run)
        if newest > 12000:
            self.assertEqual(left, [])
        stdout, _ = self.run_program("report", "run")
        self.assertIn("not finished", stdout)
        stdout, _ = self.run_program("scores", "run")
        self.assertNotIn("classic/catch", stdout)
        stdout, _ = self.run_program("evaluate", "run")
        final = json.loads((self.folder / "first/evaluation.json").read_text())["frames"]
        if final != newest:
            self.assertIn(f"checkpoints/{newest:012}/parameters.safetensors", stdout)


class Damaged(program.Case):
    """Whoever uses an older checkpoint because the newest is damaged says so."""

    def test_on_stderr_even_when_quiet(self):
        self.run_program("train", *program.TINY, *program.DETERMINISTIC, "--run-dir", "run", "--quiet")
        (self.folder / "run" / "evaluation.json").unlink()
        (self.folder / "run" / "final.safetensors").unlink()
        older, newest = program.checkpoints(self.folder / "run")
        (newest / "parameters.safetensors").write_bytes(b"damaged")
        for verb in [
            ["evaluate", "run"],
            ["export", "run", "--format", "npz"],
            ["play", "--checkpoint", "run", "--gif", "a.gif"],
            ["resume", "run", "--quiet"],
        ]:
            _, stderr = self.run_program(*verb)
            self.assertIn(newest.name, stderr, verb)
            self.assertIn("parameters.safetensors", stderr, verb)


class Depends(program.Case):
    """A key that the state depends on is refused by name."""

    def test_changed_keys(self):
        self.run_program("train", *program.TINY, "--run-dir", "run", "--quiet")
        for key, value, kept in [
            ("replay.selector", "prioritized", "uniform"),
            ("replay.capacity", "2000", "4000"),
            ("learner.n_step", "5", "3"),
            ("optimizer.name", "adagrad", "keep optimizer.name"),
            ("environment.sticky_actions", "0.25", "another task"),
            ("run.bundles", "1", "2"),
        ]:
            self.assert_refused(
                ["resume", "run", "--frames", "20000", "--set", f"{key}={value}"],
                f"{key} is ", value, "made with", kept, "start a new run",
            )  # fmt: skip


if __name__ == "__main__":
    program.main()
