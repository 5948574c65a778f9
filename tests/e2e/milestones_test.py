"""Networks that a run keeps for good, and the curve of their evaluations."""

import csv
import json
import signal

import cluster
import program

RUN = [
    *program.TINY, *program.DETERMINISTIC, "--set", "checkpoint.milestones_every_frames=2000",
    "--set", "optimizer.decay_updates=3000",
]  # fmt: skip


def milestones(run):
    """Their bytes, by name."""
    return {path.name: path.read_bytes() for path in (run / "milestones").glob("*")}


class Kept(program.Case):
    def test_a_killed_and_resumed_run_has_those_of_the_whole_run(self):
        longer = [*RUN, "--frames", "40000"]
        self.run_program("train", *longer, "--quiet", "--run-dir", "whole")
        process = self.start("train", *longer, "--run-dir", "killed")
        self.kill_at_checkpoint(process, self.folder / "killed", 9600)
        self.run_program("resume", "killed", "--quiet")
        whole = milestones(self.folder / "whole")
        self.assertEqual(sorted(whole), [f"frames-{n:012}.safetensors" for n in range(2000, 40001, 2000)])
        self.assertEqual(milestones(self.folder / "killed"), whole)

    def test_one_of_them_is_evaluated_exported_and_shown(self):
        self.run_program("train", *RUN, "--quiet", "--run-dir", "run")
        by_path, _ = self.run_program("evaluate", "run/milestones/frames-000000004000.safetensors")
        by_frames, _ = self.run_program("evaluate", "run", "--at", "4k")
        self.assertEqual(by_path.splitlines()[1:], by_frames.splitlines()[1:])
        self.assertIn("frames-000000004000.safetensors", by_frames)
        self.run_program("export", "run", "--at", "4000", "--format", "safetensors", "--output", "m.safetensors")
        self.run_program("play", "run", "--at", "4000", "--gif", "m.gif")
        self.assert_refused(["evaluate", "run", "--at", "4001"], "--at", "4001 frames", "nearest are 4000, ")
        self.assert_refused(["play", "--at", "4000", "--gif", "m.gif"], "--at needs PATH")


class Evaluated(program.Case):
    def setUp(self):
        super().setUp()
        self.run_program("train", *RUN, "--quiet", "--run-dir", "run")
        self.results = self.folder / "run" / "all-checkpoints"

    def evaluate(self, *more, expect=0):
        return self.run_program("evaluate", "run", "--all-checkpoints", "--episodes", "3", *more, expect=expect)

    def rows(self, stdout):
        """[frames, name, mean] of each line."""
        return [line.split()[:3] for line in stdout.splitlines()[2:-1]]

    def test_every_network_is_a_point_of_the_curve(self):
        stdout, _ = self.evaluate()
        rows = self.rows(stdout)
        self.assertEqual([int(row[0]) for row in rows], sorted(int(row[0]) for row in rows))
        names = [row[1] for row in rows]
        self.assertEqual(names[0], "milestones/frames-000000002000.safetensors")
        self.assertEqual({name for name in names if "milestones" not in name},
                         {"checkpoints/000000011200", "checkpoints/000000012000", "final.safetensors"})  # fmt: skip
        # As evaluate itself scores them.
        alone, _ = self.run_program("evaluate", "run", "--at", "2000", "--episodes", "3", "--json")
        curve = json.loads((self.results / "evaluations.json").read_text())["curves"][0]
        self.assertEqual(curve["evaluations"][0]["evaluation"]["returns"], json.loads(alone)["returns"])
        with open(self.results / "evaluations.csv", newline="") as file:
            table = list(csv.DictReader(file))
        self.assertEqual([row["frames"] for row in table],
                         [str(each["frames"]) for each in curve["evaluations"]])  # fmt: skip
        self.assertEqual(table[0]["protocol"], "greedy")
        for name in ["curve.png", "curve.svg"]:
            self.assertGreater((self.results / name).stat().st_size, 1000)
        as_json, _ = self.evaluate("--json")
        self.assertEqual(json.loads(as_json), curve)

    def test_what_was_evaluated_is_not_evaluated_again_unless_settings_differ(self):
        self.evaluate()
        path = self.results / "evaluations.json"
        curves = json.loads(path.read_text())
        for each in curves["curves"][0]["evaluations"]:
            each["evaluation"]["returns"] = [77, 77, 77]
        path.write_text(json.dumps(curves))
        stdout, _ = self.evaluate()
        self.assertEqual({row[2] for row in self.rows(stdout)}, {"77.00"})
        stdout, _ = self.evaluate("--seed", "5")
        self.assertNotIn("77.00", stdout)
        stdout, _ = self.evaluate()
        self.assertIn("77.00", stdout)

    def test_stopped_and_repeated(self):
        # The first is scored quickly, all of them not.
        process = self.start("evaluate", "run", "--all-checkpoints", "--episodes", "20000")
        for _ in range(3):
            line = process.stdout.readline()
        self.assertIn("frames-000000002000", line)
        process.send_signal(signal.SIGINT)
        status, _, stderr = self.finish(process)
        self.assertEqual(status, 130, stderr)
        self.assertIn("the same command evaluates the rest", stderr)
        done = json.loads((self.results / "evaluations.json").read_text())["curves"][0]["evaluations"]
        self.assertGreaterEqual(len(done), 1)
        self.assertTrue((self.results / "curve.svg").exists())

    def test_a_damaged_network_costs_no_other(self):
        damaged = self.folder / "run" / "milestones" / "frames-000000004000.safetensors"
        damaged.write_bytes(b"x")
        stdout, stderr = self.evaluate(expect=1)
        self.assertIn("left out", stderr)
        self.assertIn("frames-000000004000", stderr)
        self.assertIn("final.safetensors", stdout)

    def test_what_is_no_run_or_names_one_network_too_is_refused(self):
        self.assert_refused(["evaluate", "run/final.safetensors", "--all-checkpoints"], "no such folder")
        self.assert_refused(["evaluate", "run", "--all-checkpoints", "--at", "2000"], "exclude each other")

    def test_of_several_games_each(self):
        self.run_program(
            "train", *RUN, "--env", "minatar/breakout,minatar/asterix", "--frames", "3000",
            "--set", "network.hidden=[8]", "--quiet", "--run-dir", "two",
        )  # fmt: skip
        self.run_program("evaluate", "two", "--all-checkpoints", "--episodes", "2")
        with open(self.folder / "two" / "all-checkpoints" / "evaluations.csv", newline="") as file:
            games = [row["game"] for row in csv.DictReader(file)]
        self.assertEqual(games.count("minatar/asterix"), len(games) // 3)
        stdout, _ = self.run_program("evaluate", "two", "--all-checkpoints", "--episodes", "2", "--game", "asterix")
        self.assertNotIn("breakout", stdout)


class Launched(cluster.Case):
    def test_the_coordinator_writes_them(self):
        self.run_program(
            "launch", *cluster.TINY, "--frames", "6000", "--run-dir", "run",
            "--set", "checkpoint.milestones_every_frames=6000",
        )  # fmt: skip
        self.assertEqual(list(milestones(self.folder / "run")), ["frames-000000006000.safetensors"])
        stdout, _ = self.run_program("evaluate", "run", "--all-checkpoints", "--episodes", "2")
        self.assertIn("frames-000000006000.safetensors", stdout)
        self.assertIn("final.safetensors", stdout)


if __name__ == "__main__":
    program.main()
