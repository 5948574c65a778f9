"""Exported networks computed by ONNX Runtime (onnxruntime-web from npm, WebAssembly) against the
program's own outputs.

Skipped, with the reason, where Node.js, npm or the registry is not there.
"""

import json
import pathlib
import subprocess

import algorithms
import npm_packages
import program

COMPUTE = pathlib.Path(__file__).parent / "onnx" / "compute.mjs"
PACKAGE = "onnxruntime-web@1.30.0"
RUN = [
    "--frames", "300", "--deterministic", "--quiet", "--set", "evaluation.episodes=1",
    "--set", "evaluation.best=false", "--set", "replay.min_size=100", "--set", "replay.capacity=1000",
]  # fmt: skip


def numbers_of_rows(rows):
    """Lists, also where an output has one number for each state."""
    return [row if isinstance(row, list) else [row] for row in rows]


class Runtime(program.Case):
    def setUp(self):
        super().setUp()
        self.script = npm_packages.provide("onnx", COMPUTE, PACKAGE)

    def compare(self, environment, *more):
        """The shape of the environment's states, once both have computed the same outputs."""
        self.run_program("train", "--env", environment, *RUN, *more, "--run-dir", "run")
        return self.compare_run("run", relative=1e-4)

    def compare_run(self, run, absolute=0.0, relative=0.0):
        """The same. A difference may be relative to the largest value of the state."""
        self.run_program(
            "export", run, "--format", "onnx", "--output", "q.onnx", "--examples", "q.json"
        )
        computed = subprocess.run(
            ["node", self.script, "q.onnx", "q.json"], capture_output=True, text=True,
            cwd=self.folder, timeout=program.DEADLINE,
        )  # fmt: skip
        self.assertEqual(computed.returncode, 0, computed.stderr)
        result = json.loads(computed.stdout)
        examples = json.loads((self.folder / "q.json").read_text())
        outputs = ["q"] if "q" in examples else ["policy", "value"]
        self.assertEqual((result["inputs"], result["outputs"]), (["observation"], outputs))
        states = {tuple(state) for state in examples["observations"]}
        self.assertGreater(len(states), 4, "the examples hardly differ")
        for name in outputs:
            expected = numbers_of_rows(examples[name])
            self.assertEqual(len(expected), 16)
            for found in [result["single"], result["together"]]:
                self.compare_rows(expected, [row[name] for row in found], absolute, relative)
        return examples["shape"]

    def compare_rows(self, expected, found, absolute, relative):
        for row, other in zip(expected, found, strict=True):
            scale = max(map(abs, row))
            self.assertGreater(scale, 0)
            self.assertEqual(len(row), len(other))
            for one, another in zip(row, other):
                self.assertLess(abs(one - another), absolute + relative * scale)

    def test_computes_the_minatar_network(self):
        self.assertEqual(self.compare("minatar/breakout"), [4, 10, 10])

    def test_computes_the_nature_network(self):
        # The protocol's episodes end, however badly the agent plays.
        shape = self.compare("pixel/breakout", "--set", "evaluation.protocol=noop30")
        self.assertEqual(shape, [4, 84, 84])

    def test_computes_a_network_without_convolutions(self):
        self.assertEqual(sorted(self.compare("classic/cart_pole")), [1, 1, 4])

    def test_computes_the_network_of_every_algorithm(self):
        for name in algorithms.ALGORITHMS:
            with self.subTest(algorithm=name):
                algorithms.train(self, name)
                self.compare_run(name, absolute=1e-5)


if __name__ == "__main__":
    program.main()
