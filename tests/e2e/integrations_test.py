"""The programs in examples/ that bring a run into other people's tools."""

import json
import os
import re
import signal
import subprocess
import sys
import unittest

import program
from python_case import PYTHON, has

EXAMPLES = program.SOURCE / "examples"
RUN = [
    "train", "--env", "minatar/breakout", "--frames", "1200", "--deterministic", "--quiet",
    "--set", "evaluation.episodes=1", "--set", "replay.min_size=100", "--set", "replay.capacity=1000",
    "--set", "evaluation.every_frames=400", "--set", "evaluation.periodic_episodes=1",
    "--set", "run.metrics_every_frames=200", "--run-dir", "run",
]  # fmt: skip
# Records what the package of this name is told.
WANDB = """
import json
import os

class Run:
    def __init__(self, **arguments):
        self.tell("init", arguments)
    def tell(self, what, value):
        with open("told.jsonl", "a") as file:
            file.write(json.dumps([what, value]) + "\\n")
    def define_metric(self, name, step_metric=None):
        self.tell("metric", [name, step_metric])
    def log(self, values):
        self.tell("log", values)
    def finish(self):
        self.tell("finish", None)

def init(**arguments):
    return Run(**arguments)
"""


class Examples(program.Case):
    def setUp(self):
        super().setUp()
        self.run_program(*RUN)

    def start_example(self, python, name, *arguments):
        process = subprocess.Popen(
            [python, "-B", EXAMPLES / name, *arguments], cwd=self.folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(self.folder)},
        )  # fmt: skip
        self.addCleanup(program.stop_for_good, process)
        return process

    def run_example(self, python, name, *arguments):
        status, stdout, stderr = self.finish(self.start_example(python, name, *arguments))
        self.assertEqual(status, 0, stderr)
        return stdout

    def export(self):
        self.run_program(
            "export", "run", "--format", "onnx", "--output", "network.onnx", "--examples", "q.json"
        )
        return json.loads((self.folder / "q.json").read_text())["q"]

    def assert_same(self, stdout, q):
        actions = re.match(r"actions ([\d ]+)\n", stdout).group(1).split()
        self.assertEqual(list(map(int, actions)), [max(range(6), key=row.__getitem__) for row in q])
        (difference,) = re.findall(r"largest difference from gorila's .*: (\S+)\n", stdout)
        self.assertLess(float(difference), 1e-5)

    @unittest.skipUnless(has("numpy"), "needs numpy")
    def test_a_policy_in_numpy_alone_does_what_the_program_does(self):
        q = self.export()
        self.assertGreater(max(map(max, q)) - min(map(min, q)), 1e-3)
        self.assert_same(self.run_example(PYTHON, "numpy_policy.py", "run/final.safetensors", "q.json"), q)

    @unittest.skipUnless(has("onnxruntime"), "needs onnxruntime")
    def test_onnx_runtime_does_what_the_program_does(self):
        q = self.export()
        self.assert_same(self.run_example(PYTHON, "onnx_policy.py", "network.onnx", "q.json"), q)

    def told(self):
        file = self.folder / "told.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines]

    def rows(self):
        log = self.folder / "run" / "metrics.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()]

    def assert_every_row_was_told(self, told):
        kinds = [what for what, _ in told]
        rows = self.rows()
        self.assertEqual(kinds, ["init", "metric", "metric", *["log"] * len(rows), "finish"])
        self.assertEqual(told[0][1]["config"]["environment"]["name"], "minatar/breakout")
        self.assertEqual(told[0][1]["name"], "run")
        self.assertEqual(told[1:3], [["metric", ["frames", None]], ["metric", ["*", "frames"]]])
        for row, (_, values) in zip(rows, told[3:-1]):
            self.assertEqual(values["frames"], row["frames"])
            for name, value in row.items():
                told_value = values.get(f"{row['kind']}/{name}")
                self.assertEqual(told_value, value if isinstance(value, (int, float)) else None)
        self.assertIn("evaluation", {row["kind"] for row in rows})

    @unittest.skipUnless(sys.version_info >= (3, 11), "needs Python 3.11")
    def test_wandb_is_told_every_record(self):
        (self.folder / "wandb.py").write_text(WANDB)
        self.run_example(sys.executable, "wandb_log.py", "run", "--project", "p")
        self.assert_every_row_was_told(self.told())

    @unittest.skipUnless(sys.version_info >= (3, 11), "needs Python 3.11")
    def test_wandb_is_told_of_a_run_that_is_followed(self):
        (self.folder / "wandb.py").write_text(WANDB)
        log = self.folder / "run" / "metrics.jsonl"
        whole = log.read_text()
        log.write_text(whole[:-40])  # half a line at its end
        process = self.start_example(sys.executable, "wandb_log.py", "run", "--project", "p", "--follow")
        self.wait_until(lambda: len(self.told()) == 3 + whole.count("\n") - 1, process)
        with log.open("a") as file:
            file.write(whole[-40:])
        self.wait_until(lambda: len(self.told()) == 3 + whole.count("\n"), process)
        process.send_signal(signal.SIGINT)
        status, _, stderr = self.finish(process)
        self.assertEqual(status, 0, stderr)
        self.assert_every_row_was_told(self.told())


if __name__ == "__main__":
    program.main()
