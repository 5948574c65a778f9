"""Runs that begin with what another run learnt."""

import json
import re
import shutil
import struct

import cluster
import program

# A run that changes nothing that it begins with, so that its end shows its beginning.
STILL = ["--set", "optimizer.learning_rate=1e-30", "--set", "optimizer.learning_rate_end=-1"]


def tensors(path):
    """The bytes of each tensor of a safetensors file, by name."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    values = data[8 + length :]
    return {
        name: values[slice(*entry["data_offsets"])]
        for name, entry in header.items()
        if name != "__metadata__"
    }


class Started(program.Case):
    def setUp(self):
        super().setUp()
        self.run_program("train", *program.TINY, "--deterministic", "--quiet", "--run-dir", "a")

    def train(self, name, *more):
        return self.run_program("train", *program.TINY, "--deterministic", "--run-dir", name, *more)

    def test_from_a_run_a_checkpoint_or_a_file(self):
        learnt = tensors(self.folder / "a" / "final.safetensors")
        checkpoint = program.checkpoints(self.folder / "a")[-1].relative_to(self.folder)
        for name, source in [("b", "a"), ("c", "a/final.safetensors"), ("d", checkpoint)]:
            _, stderr = self.train(name, *STILL, "--seed", "7", "--init-from", source)
            self.assertRegex(stderr, r"the network begins with '/.*', after 12000 frames: 4 of 4 tensors")
            self.assertEqual(tensors(self.folder / name / "final.safetensors"), learnt)
        config = (self.folder / "b" / "config.toml").read_text()
        self.assertIn(f'init_from = "{self.folder.resolve()}/a/final.safetensors"', config)
        self.assertRegex(config, r'init_record = "crc32:[0-9a-f]{8} /')

    def test_a_run_is_repeated_from_its_configuration(self):
        self.train("b", "--init-from", "a", "--quiet")
        repeat = ["train", "--config", "b/config.toml", "--quiet", "--run-dir"]
        self.run_program(*repeat, "c")
        final = [(self.folder / name / "final.safetensors").read_bytes() for name in ["a", "b", "c"]]
        self.assertEqual(final[1], final[2])
        self.assertNotEqual(final[0], final[1])
        # The source has trained on: that would be another run.
        self.run_program("resume", "a", "--frames", "13000", "--quiet")
        self.assert_refused([*repeat, "d"], "network.init_from", "init_record=none")
        shutil.rmtree(self.folder / "a")
        self.assert_refused([*repeat, "d"], "network.init_from", "no such file")
        self.run_program("resume", "b", "--frames", "13000", "--quiet")

    def test_layers_that_do_not_fit_are_named(self):
        _, stderr = self.train("b", "--set", "network.dueling=true", "--init-from", "a")
        self.assertIn("2 of 6 tensors", stderr)
        self.assertIn("value.weight not there, [1, 32] here", stderr)
        self.assert_refused(
            ["train", "--env", "classic/cart_pole", "--frames", "9000", "--run-dir", "c", "--init-from", "a"],
            "network.init_from: no layer of", "fc1.weight [32, 50] there, [64, ",
        )  # fmt: skip
        self.assert_refused(["train", *program.TINY, "--init-from", "nowhere"], "nowhere")

    def test_nothing_is_said_of_settings_that_cannot_work(self):
        for verb in ["train", "launch"]:
            with self.subTest(verb):
                self.assert_refused(
                    [verb, "--env", "classic/catch", "--init-from", "a", "--set", "network.hidden=[64]"],
                    "network.preset is auto, which has its own layers",
                )  # fmt: skip

    def test_another_source_is_refused_at_a_resume(self):
        self.train("b", "--init-from", "a", "--quiet")
        stderr = self.assert_refused(
            ["resume", "b", "--frames", "13000", "--set", "network.init_from=none"], "network.init_from"
        )
        self.assertIn("only when a run starts", stderr)


class Launched(cluster.Case):
    """Parameter servers begin with it, in processes of their own."""

    def test_begins_with_it_and_outlives_it(self):
        self.run_program("train", *cluster.TINY, "--frames", "3000", "--quiet", "--run-dir", "a")
        learnt = tensors(self.folder / "a" / "final.safetensors")
        arguments = ["launch", *cluster.TINY, "--shards", "2", *STILL, "--init-from", "a", "--run-dir", "b"]
        process = self.start(*arguments, "--frames", "1000000")
        log = self.folder / "b" / "metrics.jsonl"
        self.wait_until(lambda: log.exists() and log.stat().st_size > 0, process)
        shutil.rmtree(self.folder / "a")
        process.terminate()
        status, _, stderr = self.finish(process)
        self.assertEqual(status, 130, stderr)
        self.assertIn("the network begins with", stderr)
        frames = int(re.search(r"stopped at (\d+) frames", stderr).group(1))
        self.run_program("launch", "b", "--frames", frames + 1000)
        self.assertEqual(tensors(self.folder / "b" / "final.safetensors"), learnt)
        self.assertEqual(tensors(self.folder / "b" / "initial.safetensors"), learnt)
        # And from what servers keep, before there is a final network.
        (self.folder / "b" / "evaluation.json").unlink()
        (self.folder / "b" / "final.safetensors").unlink()
        self.run_program("train", *cluster.TINY, *STILL, "--frames", "3000", "--init-from", "b", "--run-dir", "c")
        self.assertEqual(tensors(self.folder / "c" / "final.safetensors"), learnt)

    def test_pods_do_not_see_the_file(self):
        self.run_program("train", *cluster.TINY, "--frames", "3000", "--quiet", "--run-dir", "a")
        _, stderr = self.run_program(
            "launch", *cluster.TINY, "--engine", "kubernetes", "--init-from", "a", "--run-dir", "b", expect=2
        )
        self.assertIn("network.init_from", stderr)
        self.assertFalse((self.folder / "b").exists())


if __name__ == "__main__":
    program.main()
