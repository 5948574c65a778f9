"""The network backend torch, from outside."""

import json
import pathlib
import shutil
import subprocess
import unittest

import program

TORCH = ["--set", "network.backend=torch"]


class Backend(program.Case):
    def train(self, *more):
        return ["train", *program.TINY, "--quiet", "--run-dir", "run", *more]

    @unittest.skipUnless(program.HAS_TORCH, "built without libtorch")
    def test_catch_is_learnt(self):
        self.run_program(
            *self.train(*TORCH, "--deterministic", "--frames", "30000"),
            "--set", "evaluation.episodes=100",
        )  # fmt: skip
        evaluation = json.loads((self.folder / "run" / "evaluation.json").read_text())
        self.assertGreater(evaluation["mean"], 0.8)
        self.assertIn('backend = "torch"', (self.folder / "run" / "config.toml").read_text())
        # Whatever trained it, any backend computes it.
        again, _ = self.run_program("evaluate", "run", "--set", "network.backend=gemm", "--json")
        self.assertEqual(json.loads(again)["mean"], evaluation["mean"])

    @unittest.skipUnless(program.HAS_TORCH, "built without libtorch")
    def test_bundles_train_side_by_side(self):
        self.run_program(*self.train(*TORCH))

    @unittest.skipUnless(program.HAS_TORCH, "built without libtorch")
    def test_a_module_that_cannot_be_loaded_is_named(self):
        # A copy of the program with a file beside it that is no library.
        copy = pathlib.Path(shutil.copy(program.PROGRAM, self.folder / "gorila"))
        copy.with_name("libgorila_torch.so").write_text("no library")
        done = subprocess.run(
            [copy, *self.train(*TORCH)], cwd=self.folder, capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("cannot load", done.stderr)
        self.assertIn("libgorila_torch.so", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    @unittest.skipIf(program.HAS_TORCH, "built with libtorch")
    def test_without_libtorch_it_is_refused(self):
        self.assert_refused(self.train(*TORCH), "network.backend torch", "libtorch")

    def test_devices_that_are_not_there_are_refused(self):
        for device in ["gpu", "cuda:", "cuda:x", "cuda:123"]:
            with self.subTest(device=device):
                settings = [*TORCH, "--set", f"network.device={device}"]
                self.assert_refused(self.train(*settings), "network.device", device, "cuda:N")
        self.assert_refused(
            self.train("--set", "network.device=cuda"), "network.device is cuda", "backend auto"
        )
        # More than any machine has: refused with a GPU and without.
        self.assert_refused(
            self.train(*TORCH, "--set", "network.device=cuda:99"),
            "expected cpu" if program.HAS_TORCH else "libtorch",
        )

    def test_doctor_says_whether_it_is_there(self):
        stdout, _ = self.run_program("doctor", "--env", "classic/catch")
        expected = "CUDA devices" if program.HAS_TORCH else "not built in"
        self.assertRegex(stdout, rf"(?m)^ok +libtorch +.*{expected}")


if __name__ == "__main__":
    program.main()
