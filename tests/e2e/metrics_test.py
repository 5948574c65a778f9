"""`/metrics` of every role of a distributed run, read by a parser."""

import os
import socket
import ssl

import cluster
import dashboard_test
import program
import prometheus
import replay_test

METRICS = ["--metrics-listen", "127.0.0.1:0"]
ROLE_TINY = replay_test.TINY


def scrape(case, url):
    """The families, once they are known to be what a parser wants."""
    status, kind, text = dashboard_test.get(url)
    case.assertEqual(status, 200)
    case.assertIn("version=0.0.4", kind)
    families = prometheus.parse(text)
    for name, (kind, _) in families.items():
        case.assertEqual(kind == "counter", name.endswith("_total"), name)
    case.assertGreater(prometheus.value(families, "process_cpu_seconds_total"), 0)
    case.assertGreater(prometheus.value(families, "process_resident_memory_bytes"), 1 << 20)
    return families


def wait_for_value(case, process, url, name, **labels):
    """The families once the value is there and above zero."""
    families = {}

    def positive():
        nonlocal families
        try:
            families = scrape(case, url)
        except OSError:
            return False  # the process has not begun to listen
        known = any(sample == name for _, samples in families.values() for sample, _ in samples)
        return known and prometheus.value(families, name, **labels) > 0

    case.wait_until(positive, process)
    return families


class Roles(dashboard_test.Served, replay_test.Case):
    """A cluster by hand, with every role."""

    def start_role(self, verb, *arguments):
        """(process, URL of its metrics)"""
        process = self.start(verb, *arguments, "--token-file", "token", *METRICS)
        return process, self.url_of(process, "metrics")

    def start_server(self, verb, *arguments):
        """The same, and its address."""
        file = self.folder / f"address-{verb}"
        process, url = self.start_role(
            verb, *ROLE_TINY, "--state-dir", f"state-{verb}", "--address-file", file, *arguments
        )
        self.wait_until(file.exists, process)
        return process, url, file.read_text().strip()

    def as_sets(self, arguments):
        """The coordinator has no flags for keys."""
        keys = {"--env": "environment.name", "--frames": "run.frames"}
        sets = []
        for flag, value in zip(arguments[::2], arguments[1::2]):
            sets += ["--set", f"{keys[flag]}={value}" if flag in keys else value]
        return sets

    def test_each_tells_its_own_figures(self):
        shard, shard_url, address = self.start_server("parameter-server", "--shards", 1)
        replay, replay_url, replays = self.start_server("replay")
        servers = ["--parameter-servers", address, "--replays", replays]
        endless = [*ROLE_TINY, "--frames", 10**9]
        actor, actor_url = self.start_role("actor", *endless, *servers)
        learner, learner_url = self.start_role("learner", *endless, *servers)
        bundle, bundle_url = self.start_role(
            "bundle", *endless, "--bundles", 1, "--parameter-servers", address
        )
        coordinator, coordinator_url = self.start_role(
            "coordinator", *self.as_sets(endless), *servers, "--run-dir", "run",
            "--set", "cluster.actors=1", "--set", "cluster.learners=1", "--set", "cluster.replays=1",
        )  # fmt: skip

        worker = wait_for_value(self, actor, actor_url, "gorila_worker_frames_total", role="actor")
        self.assertLessEqual(prometheus.value(worker, "gorila_worker_epsilon_ratio", index="0"), 1)
        for url, process, role in [(learner_url, learner, "learner"), (bundle_url, bundle, "bundle")]:
            families = wait_for_value(self, 
                process, url, "gorila_worker_slices_total", role=role, outcome="accepted"
            )
            for work in ["learning", "parameter_server", "replay"]:
                seconds = prometheus.value(families, "gorila_worker_seconds_total", work=work)
                self.assertGreater(seconds, 0, work)
            self.assertGreater(prometheus.value(families, "gorila_worker_pushed_bytes_total"), 0)

        families = wait_for_value(self, 
            shard, shard_url, "gorila_shard_gradients_total", outcome="accepted"
        )
        self.assertEqual(prometheus.value(families, "gorila_role_generation"), 1)
        self.assertGreater(prometheus.value(families, "gorila_run_frames_total"), 0)
        self.assertGreater(prometheus.value(families, "gorila_rpc_received_bytes_total"), 0)
        self.assertEqual(
            prometheus.value(families, "gorila_rpc_refused_calls_total", reason="token"), 0
        )
        decided = sum(
            prometheus.value(families, "gorila_shard_gradients_total", outcome=outcome)
            for outcome in ["accepted", "stale", "invalid"]
        )
        counted = prometheus.value(families, "gorila_shard_staleness_versions_count")
        self.assertGreaterEqual(decided, counted, "invalid ones have no staleness")

        families = wait_for_value(self, 
            replay, replay_url, "gorila_replay_sampled_minibatches_total", role="replay"
        )
        self.assertGreater(prometheus.value(families, "gorila_replay_stored_frames"), 0)
        self.assertGreater(prometheus.value(families, "gorila_replay_reserved_bytes"), 0)
        prometheus.value(families, "gorila_replay_held_calls_total", call="sample")
        wait_for_value(self, coordinator, coordinator_url, "gorila_parameter_updates_total", run="run")
        for process in [shard, replay, actor, learner, bundle, coordinator]:
            self.assert_one_thread_takes_signals(process)

        # Another run's token is refused, and the refusal is seen.
        (self.folder / "other").write_text("f" * 32 + "\n")
        self.run_program(
            "status", "--parameter-servers", address, "--token-file", "other", "--interval", "0.05",
            expect=1,
        )  # fmt: skip
        wait_for_value(self, shard, shard_url, "gorila_rpc_refused_calls_total", reason="token")
        for process in [coordinator, actor, learner, bundle]:
            process.terminate()
            self.assertEqual(self.finish(process)[0], 130)
        for process in [replay, shard]:
            self.stop(process, expect=0)


class Launched(dashboard_test.Served, cluster.Case):
    """`gorila launch` gives each of its processes a port."""

    ROLES = ["--bundles", "1", "--actors", "1", "--learners", "1", "--replays", "1", "--shards", "2"]
    PROCESSES = ["", "parameter-server 0", "parameter-server 1", "replay 0", "bundle 0", "actor 0",
                 "learner 0"]  # fmt: skip

    def free_ports(self, count):
        """The first of so many ports in a row that nobody has now."""
        for first in range(20000 + os.getpid() % 5000, 32000, count):
            try:
                for port in range(first, first + count):
                    with socket.socket() as tried:
                        tried.bind(("127.0.0.1", port))
                return first
            except OSError:
                continue
        raise AssertionError("no free ports")

    def test_every_process_is_scraped(self):
        first = self.free_ports(len(self.PROCESSES))
        process = self.start(
            "launch", *cluster.TINY, *self.ROLES, "--frames", 10**9, "--run-dir", "run",
            "--set", "run.metrics_every_seconds=0.2", "--metrics-port", first,
        )  # fmt: skip
        self.assertEqual(self.url_of(process, "metrics"), f"http://127.0.0.1:{first}/metrics")
        for place, name in enumerate(self.PROCESSES):
            role, _, index = name.partition(" ")
            labels = {"role": role, "index": index} if role else {"run": "run"}
            metric = "gorila_role_uptime_seconds" if role else "gorila_environment_frames_total"
            url = f"http://127.0.0.1:{first + place}/metrics"
            families = wait_for_value(self, process, url, metric, **labels)
            self.assertIn("process_cpu_seconds_total", families)
        # What the run takes is more than what this one process does.
        url = f"http://127.0.0.1:{first}/metrics"
        for run, own in [("gorila_cpu_seconds_total", "process_cpu_seconds_total"),
                         ("gorila_resident_memory_bytes", "process_resident_memory_bytes")]:  # fmt: skip

            def is_the_sum(run=run, own=own):
                families = scrape(self, url)
                return prometheus.value(families, run) > 2 * prometheus.value(families, own)

            self.wait_until(is_the_sum, process)
        process.terminate()
        self.assertEqual(self.finish(process)[0], 130)


class Refused(cluster.Case):
    """What a port off loopback, or one that is taken, is answered with; nothing is made."""

    SERVERS = ["--parameter-servers", "127.0.0.1:9"]
    REPLAYS = [*SERVERS, "--replays", "127.0.0.1:9"]
    ROLES = {
        "parameter-server": ["--state-dir", "state"], "replay": ["--state-dir", "state"],
        "bundle": SERVERS, "actor": REPLAYS, "learner": REPLAYS,
        "coordinator": [*SERVERS, "--run-dir", "run"],
    }  # fmt: skip

    def test_off_loopback_needs_tls_and_a_token(self):
        for role, arguments in self.ROLES.items():
            role = [role, *arguments, "--token-file", "token", "--metrics-listen", "0.0.0.0:0"]
            self.assert_refused(role, "--metrics-listen", "--tls-cert", "--insecure")

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for role, arguments in self.ROLES.items():
                self.assert_refused(
                    [role, *arguments, "--metrics-listen", address], "--metrics-listen", "in use"
                )

    def test_ports_of_launch(self):
        launch = ["launch", *cluster.TINY, "--run-dir", "run"]
        self.assert_refused([*launch, "--metrics-port", "65533"], "cluster.metrics_port", "65531")
        for flag in ["--dashboard", "--metrics-listen=127.0.0.1:0"]:
            self.assert_refused([*launch, "--engine", "slurm", flag], "--engine", "slurm")

    def test_with_tls_the_token_is_asked_for(self):
        self.run_program("certs", "certs")
        process = self.start(
            "parameter-server", *cluster.TINY, "--state-dir", "state", *cluster.tls("parameter-server"),
            "--token-file", "token", "--metrics-listen", "0.0.0.0:0",
        )  # fmt: skip
        url = dashboard_test.Served.url_of(self, process, "metrics").replace("0.0.0.0", "127.0.0.1")
        context = ssl.create_default_context(cafile=self.folder / "certs" / "ca.crt")
        context.check_hostname = False  # the certificate stands for the role
        self.assertEqual(dashboard_test.get(url, context=context)[0], 401)
        token = {"Authorization": f"Bearer {cluster.TOKEN}"}
        status, _, text = dashboard_test.get(url, token, context)
        self.assertEqual(status, 200)
        prometheus.parse(text)
        self.stop(process)


if __name__ == "__main__":
    program.main()
