"""The dashboard and Prometheus' page, asked as a browser would ask, without one."""

import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

import cluster
import program
import prometheus

ENDLESS = [
    *program.TINY, "--frames", "1000000000", "--set", "run.metrics_every_seconds=0.1",
    "--set", "checkpoint.every_seconds=0.3",
]  # fmt: skip
DEADLINE = 60  # seconds for one answer


def get(url, headers=None, context=None, method="GET"):
    """(status, content type, text)"""
    request = urllib.request.Request(url, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE, context=context) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def events(url):
    """(name, data) of each event, as they come."""
    with urllib.request.urlopen(url, timeout=DEADLINE) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        name = None
        for line in stream:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, json.loads(value)


def wait_for(url, wanted, condition=lambda data: True):
    for name, data in events(url):
        if name == wanted and condition(data):
            return data
    raise AssertionError(f"{url} ended without '{wanted}'")


class Served(program.Case):
    """Programs that serve."""

    def url_of(self, process, name="dashboard", stream="stderr"):
        """Reads the process's output up to the line that says where it serves."""
        for line in getattr(process, stream):
            if line.startswith(f"{name}: "):
                return line.split(" ", 1)[1].strip()
        raise AssertionError("the program ended without serving")

    def start_training(self, *arguments):
        process = self.start(
            "train", *ENDLESS, "--run-dir", "run", "--dashboard=127.0.0.1:0", *arguments
        )
        return process, self.url_of(process)

    def stop(self, process, expect):
        process.send_signal(signal.SIGINT)
        status, _, stderr = self.finish(process)
        self.assertEqual(status, expect, stderr)

    def serve(self, *arguments):
        process = self.start("dashboard", *arguments, "--listen", "127.0.0.1:0")
        return process, self.url_of(process, stream="stdout")


class Training(Served):
    def setUp(self):
        super().setUp()
        self.process, self.url = self.start_training("--metrics-listen", "127.0.0.1:0")
        self.metrics_url = self.url_of(self.process, "metrics")

    def test_pages_are_there_and_need_nothing_from_elsewhere(self):
        scripts = re.findall(r'<script src="([a-z]+.js)"', get(self.url)[2])
        self.assertGreater(len(scripts), 4)
        for path, kind in [("", "text/html"), ("style.css", "text/css"),
                           *((script, "text/javascript") for script in scripts)]:  # fmt: skip
            status, found, text = get(self.url + path)
            self.assertEqual((status, found.split(";")[0]), (200, kind))
            self.assertNotRegex(text.replace("http://www.w3.org/", ""), r"https?://")
        self.assertEqual(get(self.url + "nothing")[0], 404)
        for method in ["POST", "PUT", "DELETE"]:
            self.assertEqual(get(self.url + "api/runs", method=method)[0], 405)

    def test_records_arrive_as_they_are_logged(self):
        row = wait_for(self.url + "api/events", "row", lambda data: data["row"]["frames"] > 1000)
        logged = (self.folder / "run" / "metrics.jsonl").read_text().splitlines()
        self.assertIn(row["row"], map(json.loads, logged))
        rows = json.loads(get(self.url + "api/rows?run=0")[2])["rows"]
        self.assertIn(row["row"], rows)
        self.assertEqual(get(self.url + "api/rows?run=1")[0], 404)
        self.assertEqual(get(self.url + "api/rows?run=x")[0], 404)

    def test_the_present_state_is_shown(self):
        live = wait_for(self.url + "api/events", "live", lambda data: data["updates"] > 0)
        self.assertEqual(len(live["bundles"]), 2)
        self.assertAlmostEqual(sum(live["work"]), 1, places=6)
        self.assertIn(live["bottleneck"], ["actor", "replay", "learner", "parameter server"])
        self.assertGreater(live["resident_bytes"], 1 << 20)
        runs = json.loads(get(self.url + "api/runs")[2])
        self.assertTrue(runs["live"])
        self.assertEqual(runs["runs"][0]["state"], "training")
        self.assertEqual(runs["runs"][0]["config"]["environment.name"], '"classic/catch"')

    def test_the_agent_plays(self):
        games = events(self.url + "api/game?run=0&actor=1")
        frames = [data for name, data in (next(games) for _ in range(12)) if name == "game"]
        self.assertGreater(len({frame["image"] for frame in frames}), 3)
        for frame in frames:
            self.assertTrue(frame["image"].startswith("data:image/png;base64,"))
            self.assertEqual(len(frame["q"]), len(frame["actions"]))
            self.assertTrue(frame["explores"] or frame["q"][frame["chosen"]] == max(frame["q"]))
        games.close()
        problem = wait_for(self.url + "api/game?run=0&actor=7", "problem")
        self.assertIn("actor is 7", problem["message"])

    def test_browsers_come_and_go_without_harm(self):
        address = ("127.0.0.1", int(self.url.rsplit(":", 1)[1].rstrip("/")))
        for path in ["/api/events", "/api/game?run=0", "/"]:
            for _ in range(3):
                with socket.create_connection(address) as connection:
                    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                    connection.recv(10)
        with socket.create_connection(address) as connection:
            connection.sendall(b"\x00garbage\r\n\r\n")
        wait_for(self.url + "api/events", "live")
        self.stop(self.process, expect=130)

    def test_prometheus_reads_it(self):
        wait_for(self.url + "api/events", "live", lambda data: data["accepted"] > 0)
        for url in [self.metrics_url, self.url + "metrics"]:
            status, kind, text = get(url)
            self.assertEqual(status, 200)
            self.assertIn("version=0.0.4", kind)
            families = prometheus.parse(text)
            kind, samples = families["gorila_gradients_total"]
            self.assertEqual(kind, "counter")
            self.assertGreater(samples["gorila_gradients_total", 'run="run",outcome="accepted"'], 0)
            for name, (kind, samples) in families.items():
                self.assertEqual(kind == "counter", name.endswith("_total"), name)
            self.check_histogram(families["gorila_gradient_staleness_versions"][1])

    def check_histogram(self, samples):
        buckets = [value for (name, _), value in samples.items() if name.endswith("_bucket")]
        self.assertEqual(buckets, sorted(buckets))
        self.assertEqual(
            buckets[-1], samples["gorila_gradient_staleness_versions_count", 'run="run"']
        )

    def test_the_end_of_the_run_is_told(self):
        stream = events(self.url + "api/events")
        next(stream)
        self.process.send_signal(signal.SIGINT)
        names = [name for name, _ in stream]
        self.assertEqual(names[-1], "end")
        self.assertEqual(self.finish(self.process)[0], 130)


class Directories(Served):
    """Folders of runs, served by a program of its own."""

    def setUp(self):
        super().setUp()
        for seed in [1, 2]:
            self.run_program(
                "train", *program.TINY, *program.DETERMINISTIC, "--quiet", "--seed", seed,
                "--run-dir", f"run{seed}",
            )  # fmt: skip

    def test_finished_runs_lie_over_each_other(self):
        before = program.snapshot(self.folder)
        process, url = self.serve("one=run1", "run2")
        runs = json.loads(get(url + "api/runs")[2])["runs"]
        self.assertEqual([run["label"] for run in runs], ["one", "run2"])
        self.assertEqual([run["state"] for run in runs], ["finished"] * 2)
        evaluation = json.loads((self.folder / "run2" / "evaluation.json").read_text())
        self.assertEqual(runs[1]["evaluation"]["mean"], evaluation["mean"])
        game = wait_for(url + "api/game?run=1", "game")
        self.assertEqual(game["source"], "final network")
        families = prometheus.parse(get(url + "metrics")[2])
        self.assertEqual(len(families["gorila_environment_frames_total"][1]), 2)
        self.stop(process, expect=0)
        self.assertEqual(program.snapshot(self.folder), before)

    def test_a_run_that_goes_on_is_followed(self):
        process, url = self.serve("run1")
        stream = events(url + "api/events")
        next(stream)
        self.run_program("resume", "run1", "--frames", "20000", "--quiet")
        # The log was cut at a checkpoint, or only grew; either is told. The final evaluation's record comes
        # before its file, which is told as another state.
        while True:
            name, _ = next(stream)
            if name not in ["row", "reset", "run"]:
                continue
            rows = json.loads(get(url + "api/rows?run=0")[2])["rows"]
            (run,) = json.loads(get(url + "api/runs")[2])["runs"]
            trained = max(row["frames"] for row in rows if row["kind"] == "training")
            if run["state"] == "finished" and trained >= 20000:
                break
        self.assertEqual(rows[-1]["kind"], "final_evaluation")
        self.stop(process, expect=0)

    def test_a_long_log_keeps_nobody_waiting(self):
        log = self.folder / "run1" / "metrics.jsonl"
        rows = log.read_text().splitlines(keepends=True)
        many = "".join(rows[:-1]) * (32 * 2**20 // sum(map(len, rows[:-1])))
        last = {**json.loads(next(row for row in rows if '"training"' in row)), "frames": 87654321}
        log.write_text(many + json.dumps(last, separators=(",", ":")) + "\n" + rows[-1])
        process, url = self.serve("run1")
        stream = events(url + "api/events")
        next(stream)
        (run,) = json.loads(get(url + "api/runs")[2])["runs"]
        self.assertLess(run["log_percent"], 100, "it read the whole log before it answered")
        # What is the case now does not wait for it either.
        families = prometheus.parse(get(url + "metrics")[2])
        self.assertIn("87654321", str(families["gorila_environment_frames_total"]))
        # Not a row before all are there; then browsers ask for all.
        names = []
        while "reset" not in names:
            names.append(next(stream)[0])
        self.assertNotIn("row", names)
        (run,) = json.loads(get(url + "api/runs")[2])["runs"]
        self.assertEqual(run["log_percent"], 100)
        rows = json.loads(get(url + "api/rows?run=0")[2])["rows"]
        self.assertEqual([row["kind"] for row in rows[-2:]], ["training", "final_evaluation"])
        self.assertEqual(rows[-2]["frames"], 87654321)
        self.stop(process, expect=0)

    def test_damaged_folders_are_refused_in_one_line(self):
        self.assert_refused(["dashboard", "nothing"], "nothing", "no such folder")
        checkpoint = next((self.folder / "run1" / "checkpoints").rglob("manifest.json")).parent
        self.assert_refused(["dashboard", checkpoint], "it is a checkpoint")
        (self.folder / "run1" / "config.toml").write_text("[run]\nframes = 'x'\n")
        self.assert_refused(["dashboard", "run1"], "config.toml:2")

    def wait_in(self, stream, wanted, condition):
        self.assertTrue(any(name == wanted and condition(data) for name, data in stream))

    def test_a_folder_is_searched_while_it_serves(self):
        (self.folder / "runs").mkdir()
        process, url = self.serve("runs")
        stream = events(url + "api/events")
        next(stream)
        answer = json.loads(get(url + "api/runs")[2])
        self.assertEqual((answer["runs"], answer["folders"]), ([], ["runs"]))
        shutil.copytree(self.folder / "run1", self.folder / "runs" / "a" / "run1")
        self.wait_in(stream, "run", lambda data: data["description"]["state"] == "finished")
        answer = json.loads(get(url + "api/runs")[2])
        (run,) = answer["runs"]
        self.assertEqual((run["label"], run["gone"]), ("a/run1", False))
        self.assertEqual(answer["settings"]["environment.name"], '"classic/catch"')
        evaluation = json.loads((self.folder / "run1" / "evaluation.json").read_text())
        self.assertEqual(run["evaluation"]["mean"], evaluation["mean"])
        rows = json.loads(get(url + "api/rows?run=0")[2])["rows"]
        self.assertEqual(rows[-1]["kind"], "final_evaluation")
        self.assertEqual(wait_for(url + "api/game?run=0", "game")["source"], "final network")
        shutil.rmtree(self.folder / "runs" / "a")
        self.wait_in(stream, "run", lambda data: data["description"].get("gone"))
        # Monitoring has no numbers of finished runs that nobody named.
        self.assertNotIn("gorila_environment_frames_total{", get(url + "metrics")[2])
        self.stop(process, expect=0)

    def test_a_damaged_log_is_shown_as_far_as_it_can_be_read(self):
        log = self.folder / "run1" / "metrics.jsonl"
        log.write_text("garbage\n" + log.read_text() + '{"half": ')
        process, url = self.serve("run1")
        (run,) = json.loads(get(url + "api/runs")[2])["runs"]
        self.assertEqual(run["bad_lines"], 1)
        rows = json.loads(get(url + "api/rows?run=0")[2])["rows"]
        self.assertEqual(rows[-1]["kind"], "final_evaluation")
        self.stop(process, expect=0)


class Launched(Served):
    """A run whose parts are processes of their own."""

    def launch(self, *more):
        return self.start(
            "launch", *cluster.TINY, "--shards", 2, "--run-dir", "run",
            "--set", "run.metrics_every_seconds=0.1", *more,
        )  # fmt: skip

    def game_of(self, url, query=""):
        return wait_for(f"{url}api/game?run=0{query}", "game")

    def test_it_is_shown_while_it_goes(self):
        process = self.launch("--frames", 10**9, "--dashboard=127.0.0.1:0")
        url = self.url_of(process)

        def told(data):
            return data["accepted"] > 0 and len(data["bundles"]) == 2 and all(
                sum(bundle["work"]) > 0.5 and bundle["return"] is not None
                for bundle in data["bundles"]
            )  # fmt: skip

        live = wait_for(url + "api/events", "live", told)
        self.assertGreaterEqual(sum(live["staleness"]), live["accepted"])
        row = wait_for(url + "api/events", "row", lambda data: data["row"]["updates"] > 0)["row"]
        self.assertEqual((len(row["bundle_returns"]), len(row["bundle_work"])), (2, 10))
        self.assertTrue(json.loads(get(url + "api/runs")[2])["live"])
        # Another program finds the same run by its folder, and asks the servers too.
        other, other_url = self.serve("run")
        for each in [url, other_url]:
            self.assertEqual(self.game_of(each)["source"], "live")
            self.assertEqual(json.loads(get(each + "api/runs")[2])["runs"][0]["state"], "training")
        self.assertLess(self.game_of(url, "&actor=1")["epsilon"], 1)
        problem = wait_for(url + "api/game?run=0&actor=2", "problem")
        self.assertIn("actor is 2", problem["message"])

        stream = events(url + "api/events")
        next(stream)
        self.stop(process, expect=130)
        self.assertEqual([name for name, _ in stream][-1], "end")
        # What is left are the servers' last snapshots.
        game = wait_for(other_url + "api/game?run=0", "game")
        self.assertRegex(game["source"], r"^snapshots of the parameter servers, versions \d+, \d+$")
        rows = json.loads(get(other_url + "api/rows?run=0")[2])["rows"]
        self.assertGreaterEqual(rows[-1]["frames"], row["frames"])
        self.stop(other, expect=0)

    def test_a_finished_one_plays_its_final_network(self):
        process = self.launch("--frames", 3000, "--quiet")
        self.assertEqual(self.finish(process)[0], 0)
        before = program.snapshot(self.folder)
        other, url = self.serve("run")
        self.assertEqual(self.game_of(url)["source"], "final network")
        self.assertEqual(json.loads(get(url + "api/runs")[2])["runs"][0]["state"], "finished")
        self.stop(other, expect=0)
        self.assertEqual(program.snapshot(self.folder), before)


class Ports(Served):
    def test_a_port_in_use_is_refused_and_nothing_is_made(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for flag in ["--dashboard", "--metrics-listen"]:
                self.assert_refused(
                    ["train", *program.TINY, "--run-dir", "run", f"{flag}={address}"],
                    flag, address, "in use",
                )  # fmt: skip

    def test_other_machines_need_tls_and_a_token(self):
        train = ["train", *program.TINY, "--run-dir", "run"]
        self.assert_refused([*train, "--dashboard=0.0.0.0:0"], "--tls-cert", "--token-file")
        self.assert_refused([*train, "--dashboard=nonsense:x"], "--dashboard", "nonsense:x")
        self.assert_refused([*train, "--dashboard=:0", "--tls-cert", "a"], "--tls-key")
        self.assert_refused(
            [*train, "--dashboard=:0", "--tls-cert", "a", "--tls-key", "b"], "'a'", "'b'"
        )
        self.assert_refused([*train, "--dashboard=:0", "--token-file", "none"], "none")

    def test_tls_with_a_token(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", "key.pem", "-out", "certificate.pem"],
            cwd=self.folder, check=True, capture_output=True,
        )  # fmt: skip
        token = "0123456789abcdef"
        (self.folder / "token").write_text(token + "\n")
        process = self.start(
            "train", *ENDLESS, "--run-dir", "run", "--dashboard=0.0.0.0:0", "--tls-cert",
            "certificate.pem", "--tls-key", "key.pem", "--token-file", "token",
        )  # fmt: skip
        url = self.url_of(process).replace("0.0.0.0", "127.0.0.1")
        self.assertTrue(url.startswith("https://"), url)
        context = ssl.create_default_context(cafile=self.folder / "certificate.pem")
        for headers in [{}, {"Authorization": "Bearer wrong"}, {"Cookie": "gorila_token=x"}]:
            self.assertEqual(get(url + "api/runs", headers, context)[0], 401)
        self.assertEqual(get(url + "?token=wrong", context=context)[0], 401)
        for headers in [{"Authorization": f"Bearer {token}"}, {"Cookie": f"gorila_token={token}"}]:
            self.assertEqual(get(url + "api/runs", headers, context)[0], 200)
        self.assertEqual(get(f"{url}?token={token}", context=context)[0], 200)
        self.stop(process, expect=130)


if __name__ == "__main__":
    program.main()
