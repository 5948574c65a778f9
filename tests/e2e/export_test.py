"""Exported networks, computed by programs that are not ours, against the program's own outputs."""

import json
import subprocess
import unittest

import algorithms
import program

# Runs with the distribution's Python, which has its numpy (and onnx or onnxruntime, where packaged).
READER = program.SOURCE / "tests" / "read_onnx.py"
VALUES = json.dumps({"kind": "expectation"})


class Reading(program.Case):
    def read(self, *arguments):
        done = subprocess.run(
            ["/usr/bin/python3", "-B", READER, *map(str, arguments)],
            capture_output=True, text=True, cwd=self.folder,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def assert_same_outputs(self, result):
        self.assertLess(result["largest_difference"], 1e-5)
        self.assertGreater(result["largest_value"], 1e-3)


class Files(Reading):
    def setUp(self):
        super().setUp()
        self.run_program(
            "train", "--env", "minatar/breakout", "--frames", "300", "--deterministic", "--quiet",
            "--set", "evaluation.episodes=1", "--set", "evaluation.best=false",
            "--set", "replay.min_size=100",
            "--run-dir", "run",
        )  # fmt: skip

    def export(self, name):
        """Writes network.NAME and q.json."""
        stdout, _ = self.run_program("export", "run", "--format", name, "--examples", "q.json")
        self.assertIn(f"network.{name}: Q-network of minatar/breakout", stdout)

    def test_npz_has_the_tensors_of_safetensors(self):
        self.run_program("export", "run", "--format", "npz", "--output", "network.npz")
        self.run_program("export", "run", "--format", "npz", "--output", "again.npz")
        first, again = (self.folder / name for name in ["network.npz", "again.npz"])
        self.assertEqual(first.read_bytes(), again.read_bytes())
        tensors = self.read("npz", "network.npz", "run/final.safetensors")
        self.assertEqual(tensors["conv1.weight"], [16, 4, 3, 3])
        self.assertEqual(tensors["q.bias"], [6])

    def test_onnx_gives_the_same_q_values(self):
        self.export("onnx")
        # The reader computes both from the same observations and compares them.
        result = self.read("onnx", "network.onnx", "run/final.safetensors", "q.json", VALUES)
        self.assertEqual(result["input"], ["batch", 4, 10, 10])
        self.assertEqual(result["outputs"], {"q": ["batch", 6]})
        self.assert_same_outputs(result)

    @unittest.skipUnless(program.HAS_TORCH, "built without libtorch")
    def test_torchscript_gives_the_same_q_values(self):
        self.export("torchscript")
        result = self.read(
            "torchscript", "network.torchscript", "run/final.safetensors", "q.json", VALUES
        )
        self.assertEqual(result["parameters"]["conv1.weight"], [16, 4, 3, 3])
        self.assertEqual(result["parameters"]["q.bias"], [6])
        self.assert_same_outputs(result)

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


class Algorithms(Reading):
    """Every format has the network of every algorithm, whatever its outputs mean."""

    def export(self, name, kind, *more):
        self.run_program(
            "export", name, "--format", kind, "--output", f"{name}.{kind}", *more
        )

    def check(self, name):
        form = json.dumps(algorithms.train(self, name))
        final = f"{name}/final.safetensors"
        self.export(name, "npz", "--examples", "q.json")
        tensors = self.read("npz", f"{name}.npz", final)
        means = {tensor: shape for tensor, shape in tensors.items() if "sigma" not in tensor}
        self.export(name, "onnx")
        result = self.read("onnx", f"{name}.onnx", final, "q.json", form)
        expected = {"policy": ["batch", 3], "value": ["batch"]} if name == "vtrace" else {"q": ["batch", 3]}
        self.assertEqual(result["outputs"], expected)
        constants = {"support", "advantage.sizes", "value.sizes", "logits.sizes"}
        self.assertEqual(
            {key: shape for key, shape in result["parameters"].items() if key not in constants},
            means,
        )
        self.assert_same_outputs(result)
        if program.HAS_TORCH:
            self.export(name, "torchscript")
            result = self.read("torchscript", f"{name}.torchscript", final, "q.json", form)
            self.assertEqual(result["parameters"], means)
            self.assert_same_outputs(result)
        self.check_safetensors(name)
        return tensors

    def check_safetensors(self, name):
        self.export(name, "safetensors")
        self.run_program(
            "export", f"{name}.safetensors", "--config", f"{name}/config.toml",
            "--format", "npz", "--output", "again.npz",
        )  # fmt: skip
        again, first = (self.folder / file for file in ["again.npz", f"{name}.npz"])
        self.assertEqual(again.read_bytes(), first.read_bytes())

    def test_one_value_for_an_action(self):
        self.assertIn("q.weight", self.check("dqn"))
        self.assertIn("q.weight", self.check("munchausen"))

    def test_dueling_heads(self):
        tensors = self.check("dqn-dueling")
        self.assertEqual(tensors["advantage.bias"], [3])
        self.assertEqual(tensors["value.bias"], [1])

    def test_categorical_distributions(self):
        self.assertEqual(self.check("c51")["logits.bias"], [3 * 51])

    def test_dueling_categorical_distributions_with_noise(self):
        tensors = self.check("c51-dueling-noise")
        self.assertEqual(tensors["advantage.weight"], [3 * 21, 32])
        self.assertEqual(tensors["advantage.weight_sigma"], [3 * 21, 32])
        self.assertEqual(tensors["fc1.bias_sigma"], [32])

    def test_dueling_quantiles(self):
        self.assertEqual(self.check("qr_dqn-dueling")["value.bias"], [16])

    def test_policies_have_two_outputs(self):
        tensors = self.check("vtrace")
        self.assertEqual((tensors["policy.bias"], tensors["value.bias"]), ([3], [1]))
        stdout, _ = self.run_program(
            "export", "vtrace", "--format", "onnx", "--examples", "examples.json"
        )
        self.assertIn("Policy of classic/catch", stdout)
        self.assertIn("16 observations and their probabilities and values", stdout)
        examples = json.loads((self.folder / "examples.json").read_text())
        self.assertEqual(set(examples), {"shape", "element", "observations", "policy", "value"})


if __name__ == "__main__":
    program.main()
