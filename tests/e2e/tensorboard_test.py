"""TensorBoard's event files, read with nothing of ours: framing, checksums and messages."""

import json
import math
import signal
import struct
import sys

import program

sys.path.append(str(program.SOURCE / "tests"))
from read_protobuf import read_message  # noqa: E402


def crc32c(data):
    """Bit by bit, from the polynomial."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17 & 0xFFFFFFFF)) + 0xA282EAD8) & 0xFFFFFFFF


def read_records(data):
    """The data of each whole record. What a killed process leaves at the end is passed over."""
    at = 0
    while at + 12 <= len(data):
        length, crc = struct.unpack_from("<QI", data, at)
        assert crc == masked(data[at : at + 8]), f"checksum of the length at byte {at}"
        if at + 16 + length > len(data):
            return
        record = data[at + 12 : at + 12 + length]
        (crc,) = struct.unpack_from("<I", data, at + 12 + length)
        assert crc == masked(record), f"checksum of the record at byte {at}"
        yield record
        at += 16 + length


def doubles(data):
    return list(struct.unpack(f"<{len(data) // 8}d", data))


class Events:
    """What TensorBoard makes of a folder: files in the order of their names, restarts superseding."""

    def __init__(self, folder):
        self.wall_times, self.scalars, self.histograms, self.images = set(), {}, {}, {}
        for path in sorted(folder.iterdir()):
            assert "tfevents" in path.name
            self.add_file(path.read_bytes())

    def add_file(self, data):
        for number, record in enumerate(read_records(data)):
            event = read_message(record)
            self.wall_times.add(event.get(1, [0.0])[0])
            step = event.get(2, [0])[0]
            if number == 0:
                assert event[3] == [b"brain.Event:2"]
            for session in event.get(7, []):
                if read_message(session)[1] == [1]:
                    self.supersede(step)
            for summary in event.get(5, []):
                for value in read_message(summary)[1]:
                    self.add_value(step, read_message(value))

    def supersede(self, step):
        for values in [self.scalars, self.histograms, self.images]:
            for tag, events in values.items():
                values[tag] = [event for event in events if event[0] < step]

    def add_value(self, step, value):
        tag = value[1][0].decode()
        if 2 in value:
            self.scalars.setdefault(tag, []).append((step, value[2][0]))
        elif 4 in value:
            self.images.setdefault(tag, []).append((step, read_message(value[4][0])))
        else:
            self.histograms.setdefault(tag, []).append((step, read_message(value[5][0])))


def training_rows(run):
    rows = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [row for row in rows if row["kind"] == "training"]


class Written(program.Case):
    """The files of a deterministic run."""

    def setUp(self):
        super().setUp()
        self.run_program(
            "train", *program.TINY, *program.DETERMINISTIC, "--quiet", "--run-dir", "run"
        )
        self.run_folder = self.folder / "run"
        self.events = Events(self.run_folder / "tensorboard")

    def test_scalars_are_those_of_the_log(self):
        rows = training_rows(self.run_folder)
        for name in ["loss", "gradient_norm", "value_mean", "epsilon", "return_mean", "updates"]:
            logged = [(row["frames"], row[name]) for row in rows if row[name] is not None]
            written = self.events.scalars[f"training/{name}"]
            self.assertEqual([step for step, _ in written], [frames for frames, _ in logged])
            for (_, value), (_, expected) in zip(written, logged):
                self.assertTrue(math.isclose(value, expected, rel_tol=1e-6), name)
        self.assertEqual(len(self.events.scalars["evaluation/return_mean"]), 4)

    def test_histograms_hold_what_they_say(self):
        staleness = self.events.histograms["training/staleness"]
        counted = sum(sum(doubles(histogram[7][0])) for _, histogram in staleness)
        self.assertEqual(counted, training_rows(self.run_folder)[-1]["gradients_accepted"])
        for tag, size in [("final_evaluation/returns", 20), ("evaluation/returns", 5)]:
            for _, histogram in self.events.histograms[tag]:
                limits, counts = doubles(histogram[6][0]), doubles(histogram[7][0])
                self.assertEqual(limits, sorted(limits))
                self.assertEqual(len(limits), len(counts))
                self.assertEqual(sum(counts), size)
                self.assertEqual(histogram[3][0], size)
        weights = self.events.histograms["final_evaluation/q.weight"]
        self.assertEqual(sum(doubles(weights[0][1][7][0])), 3 * 32)

    def test_images_show_an_episode(self):
        (_, image), *_ = self.events.images["final_evaluation/episode"]
        self.assertEqual(image[4][0][:6], b"GIF89a")
        width, height = struct.unpack_from("<HH", image[4][0], 6)
        self.assertEqual((image[2][0], image[1][0]), (width, height))
        self.assertEqual((self.run_folder / "episode.gif").read_bytes(), image[4][0])

    def test_equal_runs_write_equal_files_without_wall_time(self):
        self.assertEqual(self.events.wall_times, {0.0})
        self.run_program(
            "train", *program.TINY, *program.DETERMINISTIC, "--quiet", "--run-dir", "again"
        )
        for path in (self.run_folder / "tensorboard").iterdir():
            again = self.folder / "again" / "tensorboard" / path.name
            self.assertEqual(path.read_bytes(), again.read_bytes())


class Long(program.Case):
    """Runs of many evaluations: their films and histograms are ever fewer."""

    RUN = [*program.TINY, *program.DETERMINISTIC, "--set", "evaluation.every_frames=200"]

    def test_films_come_ever_more_rarely(self):
        self.run_program("train", *self.RUN, "--quiet", "--run-dir", "run")
        rows = map(json.loads, (self.folder / "run" / "metrics.jsonl").read_text().splitlines())
        frames = [row["frames"] for row in rows if row["kind"] == "evaluation"]
        self.assertGreaterEqual(len(frames), 55)
        expected = frames[:1] + [
            now
            for before, now in zip(frames, frames[1:])
            if math.floor(8 * math.log(now)) > math.floor(8 * math.log(before))
        ]
        self.assertLess(len(expected), len(frames) / 2)
        events = Events(self.folder / "run" / "tensorboard")
        self.assertEqual([step for step, _ in events.images["evaluation/episode"]], expected)
        self.assertEqual([step for step, _ in events.scalars["evaluation/return_mean"]], frames)

    def test_a_large_folder_gets_no_more_films_but_that_of_the_score(self):
        self.run_program("train", *self.RUN, "--quiet", "--run-dir", "run")
        films = self.folder / "run" / "tensorboard" / "events.out.tfevents.0000000002.gorila"
        with open(films, "wb") as file:
            file.truncate(64 << 20)  # takes no room
        self.run_program("resume", "run", "--frames", "18000", "--quiet")
        films.unlink()
        events = Events(self.folder / "run" / "tensorboard")
        self.assertLessEqual(max(step for step, _ in events.images["evaluation/episode"]), 12010)
        self.assertGreater(max(step for step, _ in events.scalars["evaluation/return_mean"]), 17000)
        self.assertGreater(max(step for step, _ in events.images["final_evaluation/episode"]), 0)


class Resumed(program.Case):
    RUN = [*program.TINY, *program.DETERMINISTIC, "--frames", "30000"]

    def test_what_was_logged_after_the_checkpoint_is_superseded(self):
        process = self.start("train", *self.RUN, "--run-dir", "killed")
        self.kill_at_checkpoint(process, self.folder / "killed", 8000)
        self.run_program("resume", "killed", "--quiet")
        self.run_program("train", *self.RUN, "--quiet", "--run-dir", "whole")
        killed, whole = (Events(self.folder / run / "tensorboard") for run in ["killed", "whole"])
        self.assertEqual(len(list((self.folder / "killed" / "tensorboard").iterdir())), 2)
        self.assertEqual(killed.scalars, whole.scalars)
        self.assertEqual(killed.histograms, whole.histograms)
        self.assertEqual(killed.images, whole.images)

    def test_threaded_runs_carry_the_time(self):
        process = self.start(
            "train", *program.TINY, "--frames", "1000000000", "--run-dir", "run",
            "--set", "run.metrics_every_seconds=0.1",
        )  # fmt: skip
        log = self.folder / "run" / "metrics.jsonl"
        self.wait_until(lambda: log.exists() and log.stat().st_size > 0, process)
        process.send_signal(signal.SIGINT)
        self.finish(process)
        events = Events(self.folder / "run" / "tensorboard")
        self.assertGreater(min(events.wall_times), 1.6e9)
        self.assertIn("training/resident_bytes", events.scalars)


if __name__ == "__main__":
    program.main()
