"""Exported networks, computed by programs that are not ours, against the program's own Q-values."""

import json
import subprocess
import unittest

import program

# Runs with the distribution's Python, which has its numpy (and onnx or onnxruntime, where packaged).
READER = program.SOURCE / "tests" / "read_onnx.py"


class Files(program.Case):
    def setUp(self):
        super().setUp()
        self.run_program(
            "train", "--env", "minatar/breakout", "--frames", "300", "--deterministic", "--quiet",
            "--set", "evaluation.episodes=1", "--set", "evaluation.best=false",
            "--set", "replay.min_size=100",
            "--run-dir", "run",
        )  # fmt: skip

    def read(self, *arguments):
        return json.loads(
            subprocess.run(
                ["/usr/bin/python3", "-B", READER, *map(str, arguments)],
                check=True, capture_output=True, text=True, cwd=self.folder,
            ).stdout
        )  # fmt: skip

    def test_npz_has_the_tensors_of_safetensors(self):
        self.run_program("export", "run", "--format", "npz", "--output", "network.npz")
        self.run_program("export", "run", "--format", "npz", "--output", "again.npz")
        first, again = (self.folder / name for name in ["network.npz", "again.npz"])
        self.assertEqual(first.read_bytes(), again.read_bytes())
        tensors = self.read("npz", "network.npz", "run/final.safetensors")
        self.assertEqual(tensors["conv1.weight"], [16, 4, 3, 3])
        self.assertEqual(tensors["q.bias"], [6])

    def test_onnx_gives_the_same_q_values(self):
        stdout, _ = self.run_program("export", "run", "--format", "onnx")
        self.assertIn("network.onnx: Q-network of minatar/breakout", stdout)
        # The reader computes both from the same observations and compares them.
        result = self.read("onnx", "network.onnx", "run/final.safetensors")
        self.assertEqual(result["input"], ["batch", 4, 10, 10])
        self.assertEqual(result["output"], ["batch", 6])
        self.assertLess(result["largest_difference"], 1e-5)
        self.assertGreater(result["largest_value"], 1e-3)

    @unittest.skipUnless(program.HAS_TORCH, "built without libtorch")
    def test_torchscript_gives_the_same_q_values(self):
        stdout, _ = self.run_program("export", "run", "--format", "torchscript")
        self.assertIn("network.torchscript: Q-network of minatar/breakout", stdout)
        result = self.read("torchscript", "network.torchscript", "run/final.safetensors")
        self.assertEqual(result["parameters"]["conv1.weight"], [16, 4, 3, 3])
        self.assertEqual(result["parameters"]["q.bias"], [6])
        self.assertLess(result["largest_difference"], 1e-5)
        self.assertGreater(result["largest_value"], 1e-3)

    @unittest.skipIf(program.HAS_TORCH, "built with libtorch")
    def test_torchscript_needs_libtorch(self):
        self.assert_refused(["export", "run", "--format", "torchscript"], "torchscript", "libtorch")

    def test_safetensors_keep_their_values(self):
        self.run_program("export", "run", "--format", "safetensors", "--output", "network.safetensors")
        self.run_program("evaluate", "network.safetensors", "--env", "minatar/breakout",
                         "--episodes", "1")  # fmt: skip

    def test_what_cannot_be_made_is_refused(self):
        self.assert_refused(["export", "run", "--format", "pickle"], "pickle", "npz")
        self.assert_refused(["export", "none", "--format", "npz"], "none")


if __name__ == "__main__":
    program.main()
