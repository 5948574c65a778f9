"""A run from the command line to its files, and the same run again."""

import json
import shlex
import struct
import subprocess
import xml.etree.ElementTree
import zlib

import program


def read_log(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


class Files(program.Case):
    """Everything a run leaves behind."""

    def setUp(self):
        super().setUp()
        self.stdout, self.stderr = self.run_program(
            "train", *program.TINY, *program.DETERMINISTIC, "--run-dir", "run"
        )
        self.run_folder = self.folder / "run"

    def test_says_what_it_does_and_where_things_are(self):
        for line in ["environment    classic/catch", "replay memory", "run directory  run"]:
            self.assertIn(line, self.stdout)
        self.assertIn("protocol greedy, 20 episodes", self.stdout)
        for line in self.stdout.splitlines():
            self.assertLessEqual(len(line), 80, line)
        self.assertIn("frames 12.0k/12.0k (100.0%)", self.stderr)

    def test_metrics_are_json_lines_whose_frames_grow(self):
        rows = read_log(self.run_folder / "metrics.jsonl")
        training = [row["frames"] for row in rows if row["kind"] == "training"]
        self.assertEqual(training, sorted(set(training)))
        self.assertGreaterEqual(training[-1], 12000)
        self.assertEqual([row["kind"] for row in rows].count("evaluation"), 4)
        self.assertEqual(rows[-1]["kind"], "final_evaluation")

    def test_parameters_load_with_plain_numpy(self):
        reader = program.SOURCE / "tests" / "read_safetensors.py"
        # The distribution's Python has the distribution's numpy.
        printed = subprocess.run(
            ["/usr/bin/python3", reader, self.run_folder / "final.safetensors"],
            check=True,
            capture_output=True,
        ).stdout
        shapes = {tensor["name"]: tensor["shape"] for tensor in json.loads(printed)["tensors"]}
        self.assertEqual(shapes["fc1.weight"][0], 32)
        self.assertEqual(shapes["q.weight"], [3, 32])

    def test_report_curve_and_evaluation_agree(self):
        evaluation = json.loads((self.run_folder / "evaluation.json").read_text())
        report = json.loads((self.run_folder / "report.json").read_text())
        self.assertEqual(len(evaluation["returns"]), 20)
        self.assertAlmostEqual(sum(evaluation["returns"]) / 20, evaluation["mean"])
        self.assertAlmostEqual(report["evaluations"][0]["mean"], evaluation["mean"])
        self.assertIn("gorila train", report["command"])
        self.assertIn("curve.png", (self.run_folder / "report.md").read_text())
        self.assertEqual((self.run_folder / "curve.png").read_bytes()[:4], b"\x89PNG")
        xml.etree.ElementTree.parse(self.run_folder / "curve.svg")


    def test_the_score_stands_beside_what_it_is_to_be_read_with(self):
        evaluation = json.loads((self.run_folder / "evaluation.json").read_text())
        self.assertEqual(evaluation["evaluations"], 4)
        self.assertEqual("last" in evaluation, evaluation["frames"] != 12000)
        self.assertIn("best of 4 evaluations", self.stdout)
        self.assertIn("training       return", self.stdout)
        for name in ["report.md", "report.html"]:
            self.assertIn("best of 4 evaluations", (self.run_folder / name).read_text())
        report = json.loads((self.run_folder / "report.json").read_text())
        self.assertEqual(report["training_return"], evaluation["training_return"])
        self.assertEqual(report["warnings"], evaluation["warnings"])


class Labels(program.Case):
    """What names a protocol says what was played."""

    def test_another_epsilon_is_said_wherever_the_protocol_is_named(self):
        label = "greedy with epsilon 1 instead of 0"
        stdout, stderr = self.run_program(
            "train", *program.TINY, *program.DETERMINISTIC, "--frames", "3200", "--run-dir", "run",
            "--set", "evaluation.epsilon=1",
        )  # fmt: skip
        run = self.folder / "run"
        self.assertIn(f"evaluating: 20 episodes, protocol {label}", stderr)
        self.assertIn(f"(protocol {label}, 20 episodes)", stdout)
        evaluation = json.loads((run / "evaluation.json").read_text())
        self.assertEqual(evaluation["protocol"], label)
        self.assertEqual(evaluation["sticky_actions"], 0)
        self.assertIn(f"| {label} |", (run / "report.md").read_text())
        page = (run / "report.html").read_text()
        self.assertIn(f"<td>{label}</td>", page)
        self.assertRegex(page, "seed 1, network: best of [0-9]+ evaluations?, epsilon 1; at most 300 frames")
        rows = [json.loads(row) for row in (run / "metrics.jsonl").read_text().splitlines()]
        self.assertEqual({row["protocol"] for row in rows if "protocol" in row}, {label})

        # As an older version wrote it.
        evaluation["protocol"] = "greedy"
        (run / "evaluation.json").write_text(json.dumps(evaluation) + "\n")
        stdout, _ = self.run_program("report", "run")
        self.assertIn(f"(protocol {label}, 20 episodes)", stdout)
        stdout, _ = self.run_program("scores", "run")
        self.assertRegex(stdout, rf"classic/catch +{label} +1 ")


class WithoutLearning(program.Case):
    """Runs that cannot learn, or did not."""

    def test_a_run_too_short_for_an_update_is_refused(self):
        self.assert_refused(
            ["train", *program.TINY, "--frames", "900", "--run-dir", "run"],
            "run.frames is 900", "run.bundles 2", "500 frames (replay.min_size)",
        )  # fmt: skip

    def test_a_run_whose_seconds_held_no_update_fails_and_keeps_its_files(self):
        stdout, stderr = self.run_program(
            "train", "--env", "minatar/breakout", "--bundles", "1", "--frames", "1000000000",
            "--seconds", "0.01", "--run-dir", "run", "--quiet", "--set", "actor.epsilon_start=0.1",
            "--set", "actor.environments=1", "--set", "replay.capacity=400000",
            "--set", "replay.min_size=400000", "--set", "evaluation.episodes=2", expect=1,
        )  # fmt: skip
        self.assertIn("score", stdout)
        self.assertRegex(stderr, r"gorila: run: the run made no update in \d+ frames")
        self.assertTrue((self.folder / "run" / "report.html").exists())

    def test_a_run_that_diverges_says_so_at_once_and_in_the_end(self):
        _, stderr = self.run_program(
            "train", *program.TINY, *program.DETERMINISTIC, "--run-dir", "run",
            "--set", "optimizer.name=sgd", "--set", "optimizer.learning_rate=1000",
            "--set", "learner.loss=squared", expect=1,
        )  # fmt: skip
        self.assertEqual(stderr.count("training diverges: "), 1)
        self.assertRegex(stderr, r"gorila: run: the run diverged: \d+ of \d+ gradients")
        evaluation = json.loads((self.folder / "run" / "evaluation.json").read_text())
        self.assertIn("diverged", evaluation["problem"])

    def test_a_network_that_is_not_finite_is_refused(self):
        self.run_program(
            "train", *program.TINY, "--deterministic", "--quiet", "--frames", "1200", "--run-dir", "run"
        )
        path = self.folder / "run" / "final.safetensors"
        for value in [float("nan"), float("inf")]:
            path.write_bytes(with_last_value(path.read_bytes(), value))
            for arguments in [
                ["evaluate", "run"],
                ["export", "run", "--format", "npz", "--output", "n.npz"],
                ["play", "run", "--gif", "x.gif"],
                ["play", "run", "--checkpoint", "run", "--gif", "x.gif"],
            ]:
                self.assert_refused(arguments, "final.safetensors", "'q.bias'", "not finite")


def with_last_value(safetensors, value):
    """The file with another last number, and a checksum that fits."""
    length = struct.unpack("<Q", safetensors[:8])[0]
    header = json.loads(safetensors[8 : 8 + length])
    data = safetensors[8 + length : -4] + struct.pack("<f", value)
    header["__metadata__"]["values_crc32"] = f"{zlib.crc32(data):08x}"
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


class Numbers(program.Case):
    """Whole numbers as people write them."""

    def test_are_taken_by_flags_and_sets_and_recorded_in_plain_digits(self):
        self.run_program(
            "train", *program.TINY, "--deterministic", "--quiet", "--run-dir", "run",
            "--frames", "1.2e3", "--parameter-servers=3e0", "--set", "replay.capacity = 4k",
        )  # fmt: skip
        config = (self.folder / "run" / "config.toml").read_text()
        for line in ["frames = 1200", "capacity = 4000", "shards = 3"]:
            self.assertIn(f"\n{line}\n", config)
        command = json.loads((self.folder / "run" / "report.json").read_text())["command"]
        for part in ["--frames 1200 ", "=3 ", "replay.capacity =4000"]:
            self.assertIn(part, command)
        film = ["play", "--env", "classic/catch", "--gif"]
        self.run_program(*film, "a.gif", "--episodes", "0.2e1")
        self.run_program(*film, "b.gif", "--episodes", "2")
        self.assertEqual((self.folder / "a.gif").read_bytes(), (self.folder / "b.gif").read_bytes())


class Repetition(program.Case):
    def train(self, name, *more):
        self.run_program(
            "train", *program.TINY, *program.DETERMINISTIC, "--quiet", "--run-dir", name, *more
        )
        run = self.folder / name
        return (run / "metrics.jsonl").read_bytes(), (run / "final.safetensors").read_bytes()

    def test_same_command_gives_the_same_bits(self):
        first = self.train("first")
        self.assertEqual(first, self.train("second"))
        other = self.train("other", "--seed", "2")
        self.assertNotEqual(first[0], other[0])
        self.assertNotEqual(first[1], other[1])


class Learning(program.Case):
    def test_catch_is_learnt(self):
        self.run_program(
            "train", *program.TINY, "--deterministic", "--frames", "30000", "--quiet",
            "--run-dir", "run", "--set", "evaluation.episodes=100",
        )  # fmt: skip
        evaluation = json.loads((self.folder / "run" / "evaluation.json").read_text())
        self.assertGreater(evaluation["mean"], 0.8)


class Names(program.Case):
    def test_six_that_start_at_once_take_six_numbers(self):
        processes = [self.start("train", *program.TINY, "--frames", "2000") for _ in range(6)]
        for process in processes:
            status, _, stderr = self.finish(process)
            self.assertEqual(status, 0, stderr)
        numbers = [run.name.rpartition("-")[2] for run in (self.folder / "runs").iterdir()]
        self.assertEqual(sorted(numbers), list("123456"))

    def test_what_a_process_left_that_was_killed_while_it_made_a_run_is_taken_over(self):
        (self.folder / "run").mkdir()
        for name in [".lock", "config.toml.tmp"]:
            (self.folder / "run" / name).write_text("")
        self.assert_refused(["resume", "run"], "config.toml", "make the run once more")
        self.run_program("train", *program.TINY, "--frames", "2000", "--run-dir", "run")

    def test_a_printed_command_can_be_pasted(self):
        run = "-my 'odd' $run\n"
        stdout, _ = self.run_program(
            "train", *program.TINY, "--frames", "2000", f"--run-dir={run}"
        )
        # It may have several lines: a name's line break stands in quotes.
        command = stdout[stdout.index("gorila evaluate"):]
        self.assertEqual(shlex.split(command)[:3], ["gorila", "evaluate", "./" + run])

    def test_default_run_directories_are_numbered(self):
        short = ["train", *program.TINY, "--deterministic", "--quiet", "--frames", "1200"]
        self.run_program(*short)
        self.run_program(*short)
        self.assertEqual(
            sorted(path.name for path in (self.folder / "runs").iterdir()),
            ["classic-catch-minatar-changed-seed1-1", "classic-catch-minatar-changed-seed1-2"],
        )


if __name__ == "__main__":
    program.main()
