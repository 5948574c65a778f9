"""Roles as processes, and what goes wrong between them."""

import signal
import socket
import time

import cluster
import program
import raw_call

STATUS = "gorila.v1.Role/GetStatus"
# A gradient is refused unless it is nearly of the present version.
MODEST = ["--set", "parameter_server.max_staleness=5"]


class Refusals(cluster.Case):
    def test_another_token_is_refused_and_counted(self):
        shard, address = self.start_shard()
        (self.folder / "other").write_text("f" * 32 + "\n")
        bundle = self.start(
            "bundle", *cluster.TINY, "--parameter-servers", address, "--token-file", "other"
        )
        status, _, stderr = self.finish(bundle)
        self.assertEqual(status, 1)
        self.assertIn("not this run's token", stderr)
        seen = self.status(address)
        self.assertEqual(seen["refused"], {"token": 1})
        self.assertEqual(seen["pushed"], 0)
        self.stop(shard)

    def test_another_network_is_refused_and_counted(self):
        shard, address = self.start_shard()
        bundle = self.start_bundle(address, 0, "--set", "network.hidden=[64]")
        status, _, stderr = self.finish(bundle)
        self.assertEqual(status, 1)
        self.assertIn("parameter layout", stderr)
        self.assertEqual(self.status(address)["refused"], {"layout": 1})
        self.stop(shard)

    def test_shards_in_another_order_are_refused(self):
        self.SHARDS = 2
        first, one = self.start_shard(0)
        second, two = self.start_shard(1)
        bundle = self.start_bundle(f"{two},{one}")
        status, _, stderr = self.finish(bundle)
        self.assertEqual(status, 2, stderr)
        self.assertIn("expected shard 0 of 2", stderr)
        self.stop(first)
        self.stop(second)

    def test_bytes_that_are_no_calls_do_no_harm(self):
        shard, address = self.start_shard()
        host, port = address.split(":")
        for data in [b"", b"GET / HTTP/1.1\r\n\r\n", b"\0" * 100000, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" * 9]:
            with socket.create_connection((host, int(port))) as peer:
                peer.sendall(data)
        self.assertEqual(self.status(address)["pushed"], 0)
        self.stop(shard)

    def test_calls_that_make_no_sense_are_counted_and_change_nothing(self):
        shard, address = self.start_shard()
        known = {"gorila-token": cluster.TOKEN, "grpc-timeout": "5S"}
        huge = b"\x10" + b"\xff" * 5 + b"\x01"  # a first part that announces 68 GB
        for reason, body, metadata in [
            ("token", raw_call.message(b""), {**known, "gorila-token": "f" * 32}),
            ("deadline", raw_call.message(b""), {"gorila-token": cluster.TOKEN}),
            ("malformed", raw_call.message(b"\xff\xff\xff"), known),
            ("oversized", raw_call.message(huge), known),
            ("incomplete", b"", known),
            ("incomplete", raw_call.message(b"", announced=2**32 - 1), known),
        ]:
            with self.subTest(reason=reason, body=body):
                before = self.status(address)["refused"].get(reason, 0)
                raw_call.call(address, STATUS, body, metadata)
                seen = self.status(address)
                self.assertEqual(seen["refused"].get(reason, 0), before + 1, seen)
        bundle = self.start_bundle(address)
        self.wait_for_frames(address, 500, bundle)
        self.stop(bundle, expect=130)
        self.assert_adds_up(self.status(address))
        self.stop(shard)

    def test_calls_without_the_token_take_no_place_of_those_with_it(self):
        shard, address = self.start_shard()
        with raw_call.flood(address, STATUS, 20_000, {"grpc-timeout": "60S"}):
            self.assertGreater(self.status(address)["refused"].get("token", 0), 0)
        self.stop(shard)

    def test_off_loopback_needs_certificates_or_an_explicit_wish(self):
        base = ["parameter-server", "--state-dir", "state"]
        self.assert_refused([*base, "--listen", "0.0.0.0:0"], "0.0.0.0:0", "--tls-cert", "--insecure")
        shard, address = self.start_shard(0, "0.0.0.0:0", None, "--insecure")
        self.status(address.replace("0.0.0.0", "127.0.0.1"))
        self.stop(shard)

    def test_bad_input(self):
        (self.folder / "short").write_text("short\n")
        base = ["parameter-server", "--state-dir", "state"]
        self.assert_refused([*base, "--listen", "here"], "'here'", "host:port")
        self.assert_refused([*base, "--token-file", "short"], "short", "16 to 256")
        self.assert_refused([*base, "--token-file", "none"], "none")
        self.assert_refused([*base, "--shards", "2", "--shard", "2"], "--shard is 2", "0..1")
        self.assert_refused([*base, "--tls-cert", "a"], "1 of --tls-cert, --tls-key and --tls-ca")
        bundle = ["bundle", "--parameter-servers", "127.0.0.1:9"]
        self.assert_refused([*bundle, "--bundle-index", "7"], "--bundle-index is 7")
        self.assert_refused(["bundle", "--parameter-servers", "127.0.0.1:9,"], "''")
        self.assert_refused(["status"], "--parameter-servers")
        self.assert_refused(["status", "none"], "none")


class SharedMemory(cluster.Case):
    """Faults where gradients and parameters lie in memory that both processes see."""

    LARGER = ["--set", "network.hidden=[256, 256]"]  # 0.3 MB: small ones are sent

    def start_larger(self):
        shard, address = self.start_shard(0, "127.0.0.1:0", None, *self.LARGER)
        bundles = [self.start_bundle(address, i, *self.LARGER) for i in range(2)]
        return shard, address, bundles

    def end_larger(self, shard, address, bundles):
        for bundle in bundles:
            self.stop(bundle, expect=130)
        seen = self.status(address)
        self.assert_adds_up(seen)
        self.assertGreater(seen["shared_percent"], 80, seen)
        self.stop(shard)

    def wait_for_updates(self, address, updates, *processes):
        return self.wait_for_status(lambda seen: seen["version"] > updates, address, *processes)

    def test_a_killed_bundle_and_a_killed_shard_come_back(self):
        shard, address, bundles = self.start_larger()
        seen = self.wait_for_updates(address, 300, shard, *bundles)
        self.assertGreater(seen["shared_percent"], 80, seen)
        bundles[0].kill()
        self.finish(bundles[0])
        bundles[0] = self.start_bundle(address, 0, *self.LARGER)
        self.wait_for_updates(address, seen["version"] + 300, shard, *bundles)
        snapshots = self.folder / "shard-0" / "snapshots"
        self.wait_until(lambda: any(snapshots.glob("0*/manifest.json")), shard)
        shard.kill()
        self.finish(shard)
        shard, address = self.start_shard(0, address, None, *self.LARGER)
        seen = self.status(address)
        self.assertEqual(seen["generation"], 2)
        self.wait_for_updates(address, seen["version"] + 300, shard, *bundles)
        self.end_larger(shard, address, bundles)

    def test_a_halted_bundle_goes_on(self):
        shard, address, bundles = self.start_larger()
        seen = self.wait_for_updates(address, 300, shard, *bundles)
        bundles[0].send_signal(signal.SIGSTOP)
        seen = self.wait_for_updates(address, seen["version"] + 300, shard, bundles[1])
        bundles[0].send_signal(signal.SIGCONT)
        before = seen["gradients_of"]["bundle 0"]
        self.wait_for_status(lambda now: now["gradients_of"]["bundle 0"] > before, address, *bundles)
        self.end_larger(shard, address, bundles)

    def test_connections_that_are_cut_do_not_mix_gradients(self):
        shard, address = self.start_shard(0, "127.0.0.1:0", None, *self.LARGER)
        proxy = cluster.Proxy(address)
        self.addCleanup(proxy.close)
        bundles = [self.start_bundle(proxy.address, i, *self.LARGER) for i in range(2)]
        for updates in (200, 400, 600):
            self.wait_for_updates(address, updates, shard, *bundles)
            proxy.cut()
        self.wait_for_updates(address, 800, shard, *bundles)
        for bundle in bundles:
            self.stop(bundle, expect=130)
        seen = self.status(address)
        self.assert_adds_up(seen)
        self.assertGreater(seen["shared_percent"], 50, seen)
        self.stop(shard)

    def test_it_can_be_switched_off(self):
        off = [*self.LARGER, "--set", "cluster.shared_memory=false"]
        shard, address = self.start_shard(0, "127.0.0.1:0", None, *off)
        bundle = self.start_bundle(address, 0, *off)
        seen = self.wait_for_updates(address, 100, shard, bundle)
        self.assertEqual(seen["shared_percent"], 0)
        self.stop(bundle, expect=130)
        self.stop(shard)


class Certificates(cluster.Case):
    def test_a_run_under_mutual_tls(self):
        self.run_program("certs", "certs")
        self.assert_refused(["certs", "certs"], "exists already")
        shard, address = self.start_shard(0, "127.0.0.1:0", None, *cluster.tls("parameter-server"), frames=3000)
        bundle = self.start_bundle(address, 0, *cluster.tls("bundle"), frames=3000)
        status, stdout, stderr = self.finish(bundle)
        self.assertEqual(status, 0, stdout + stderr)
        seen = self.status(address, *cluster.tls("operator"))
        self.assertGreaterEqual(seen["frames"], 3000)
        self.assert_adds_up(seen)

        # An operator looks; it does not train.
        intruder = self.start_bundle(address, 0, *cluster.tls("operator"), frames=6000)
        status, _, stderr = self.finish(intruder)
        self.assertEqual(status, 1)
        self.assertIn("the certificate has role 'operator'", stderr)
        self.assertIn("role", self.status(address, *cluster.tls("operator"))["refused"])
        self.stop(shard)


class Staleness(cluster.Case):
    def assert_never_staler_than(self, versions, overlap):
        settings = ["--set", f"parameter_server.max_staleness={versions}"]
        settings += ["--set", f"parameter_server.overlap={overlap}"]
        shard, address = self.start_shard(0, "127.0.0.1:0", None, *settings)
        bundle = self.start_bundle(address, 0, *settings)
        self.wait_for_status(lambda seen: seen["pushed"] > 200, address, shard, bundle)
        self.stop(bundle, expect=130)
        seen = self.status(address)
        self.assert_adds_up(seen)
        self.assertEqual(seen["stale"], 0, seen)
        self.stop(shard)

    def test_a_bundle_alone_computes_from_what_its_last_gradient_made(self):
        self.assert_never_staler_than(0, overlap="false")

    def test_a_bundle_alone_that_does_not_wait_is_at_most_three_behind(self):
        self.assert_never_staler_than(3, overlap="true")


class Faults(cluster.Case):
    def start_run(self, address, bundles=2):
        return [self.start_bundle(address, i) for i in range(bundles)]

    def end_run(self, shard, address, bundles):
        for bundle in bundles:
            self.stop(bundle, expect=130)
        seen = self.status(address)
        self.assert_adds_up(seen)
        self.assertEqual(seen["refused"].get("malformed", 0), 0, seen)
        self.stop(shard)
        return seen

    def test_a_killed_bundle_is_not_missed_and_may_come_back(self):
        shard, address = self.start_shard()
        bundles = self.start_run(address)
        frames = self.wait_for_frames(address, 1500, shard)["frames"]
        bundles[0].kill()
        frames = self.wait_for_frames(address, frames + 500, bundles[1])["frames"]
        bundles[0] = self.start_bundle(address, 0)
        self.wait_for_frames(address, frames + 1500, bundles[0])
        self.end_run(shard, address, bundles)

    def test_a_halted_bundle_holds_nobody_up_and_goes_on(self):
        shard, address = self.start_shard()
        bundles = self.start_run(address)
        frames = self.wait_for_frames(address, 1500, shard)["frames"]
        bundles[0].send_signal(signal.SIGSTOP)
        frames = self.wait_for_frames(address, frames + 1000, bundles[1])["frames"]
        bundles[0].send_signal(signal.SIGCONT)
        bundles[1].send_signal(signal.SIGSTOP)
        self.wait_for_frames(address, frames + 1000, bundles[0])
        bundles[1].send_signal(signal.SIGCONT)
        self.end_run(shard, address, bundles)

    def test_a_killed_shard_comes_back_as_a_new_generation(self):
        shard, address = self.start_shard()
        bundles = self.start_run(address)
        self.wait_for_frames(address, 1500, shard)
        snapshots = self.folder / "shard-0" / "snapshots"
        self.wait_until(lambda: any(snapshots.glob("0*/manifest.json")), shard)
        self.assert_adds_up(self.status(address))
        shard.kill()
        self.finish(shard)
        shard, again = self.start_shard(0, address)
        self.assertEqual(again, address)
        seen = self.status(address)
        self.assertEqual(seen["generation"], 2)
        self.assert_adds_up(seen)
        self.wait_for_frames(address, seen["frames"] + 1500, bundles[0])
        seen = self.end_run(shard, address, bundles)
        self.assertGreater(seen["accepted"], 0)

    def test_everything_is_killed_and_starts_again(self):
        shard, address = self.start_shard()
        bundles = self.start_run(address)
        self.wait_for_frames(address, 1500, shard)
        snapshots = self.folder / "shard-0" / "snapshots"
        self.wait_until(lambda: any(snapshots.glob("0*/manifest.json")), shard)
        self.assert_adds_up(self.status(address))
        for process in [*bundles, shard]:
            process.kill()
            self.finish(process)
        shard, address = self.start_shard()
        seen = self.status(address)
        self.assertEqual(seen["generation"], 2)
        self.assert_adds_up(seen)
        bundles = self.start_run(address)
        self.wait_for_frames(address, seen["frames"] + 1500, bundles[0])
        self.end_run(shard, address, bundles)

    def test_a_replaced_shard_that_comes_back_is_refused_and_ends(self):
        old, old_address = self.start_shard()
        proxy = cluster.Proxy(old_address)
        self.addCleanup(proxy.close)
        bundles = self.start_run(proxy.address)
        self.wait_for_frames(old_address, 1500, old)
        snapshots = self.folder / "shard-0" / "snapshots"
        self.wait_until(lambda: any(snapshots.glob("0*/manifest.json")), old)
        # Cut off: the bundles are led to another process with the same state.
        old.send_signal(signal.SIGSTOP)
        new, new_address = self.start_shard()
        proxy.target = new_address
        proxy.cut()
        seen = self.wait_for_frames(new_address, 1500, bundles[0])
        self.assertEqual(seen["generation"], 2)
        # Healed: whoever still reaches the old one tells it, and takes nothing from it.
        proxy.target = old_address
        proxy.cut()
        old.send_signal(signal.SIGCONT)
        status, _, stderr = self.finish(old)
        self.assertEqual(status, 1)
        self.assertRegex(stderr, "replaced this process|this process was replaced")
        proxy.target = new_address
        frames = self.status(new_address)["frames"]
        self.wait_for_frames(new_address, frames + 1000, bundles[0])
        self.end_run(new, new_address, bundles)

    def test_of_two_that_start_on_one_state_folder_the_second_replaces_the_first(self):
        both = [self.start_shard_unwaited(listen="127.0.0.1:0") for _ in range(2)]
        for process, file in both:
            self.wait_until(lambda: file.exists() or process.poll() is not None, both[0][0])
        ended = []
        deadline = time.monotonic() + program.DEADLINE
        while not ended:
            ended = [process for process, _ in both if process.poll() is not None]
            self.assertLess(time.monotonic(), deadline, "both serve")
            time.sleep(0.01)
        status, _, stderr = self.finish(ended[0])
        self.assertEqual(status, 1)
        self.assertIn("generation 2 has replaced this process of generation 1", stderr)
        ((process, file),) = [pair for pair in both if pair[0] is not ended[0]]
        self.assertEqual(self.status(file.read_text().strip())["generation"], 2)
        self.stop(process)

    def test_connections_that_are_cut_midway_lose_no_count(self):
        shard, address = self.start_shard()
        proxy = cluster.Proxy(address)
        self.addCleanup(proxy.close)
        proxy.cut_after = 150_000  # in the middle of some gradient or slice
        bundles = [self.start_bundle(proxy.address, i) for i in range(2)]
        self.wait_for_frames(address, 3000, shard)
        proxy.cut_after = None
        seen = self.end_run(shard, address, bundles)
        # None is decided on twice; one of each bundle was on its way when it was told to stop.
        self.assertLessEqual(seen["pushed"], seen["gradients_of"].total() + len(bundles))

    def test_a_peer_that_stops_reading_holds_nobody_up(self):
        shard, address = self.start_shard()
        proxy = cluster.Proxy(address)
        self.addCleanup(proxy.close)
        bundles = [self.start_bundle(proxy.address, 0), self.start_bundle(address, 1)]
        frames = self.wait_for_frames(address, 1500, shard)["frames"]
        proxy.stalled = True
        frames = self.wait_for_frames(address, frames + 2000, bundles[1])["frames"]
        proxy.stalled = False
        self.assertIsNone(bundles[0].poll())
        self.end_run(shard, address, bundles)

    def test_a_slow_peer_holds_nobody_up_and_what_it_brings_too_late_is_counted(self):
        shard, address = self.start_shard(0, "127.0.0.1:0", None, *MODEST)
        proxy = cluster.Proxy(address)
        self.addCleanup(proxy.close)
        bundles = [self.start_bundle(proxy.address, 0), self.start_bundle(address, 1)]
        before = self.wait_for_frames(address, 1500, shard)
        proxy.rate = 20_000  # a gradient takes a third of a second

        def contributed(seen, name, key):
            return seen[key][name] - before[key][name]

        seen = self.wait_for_status(
            lambda seen: seen["stale"] > before["stale"]
            and contributed(seen, "bundle 0", "gradients_of") > 5
            and contributed(seen, "bundle 1", "frames_of") > 2000,
            address, *bundles,
        )  # fmt: skip
        slow, fast = (contributed(seen, f"bundle {i}", "frames_of") for i in range(2))
        self.assertGreater(fast, 2 * slow)
        self.end_run(shard, address, bundles)


if __name__ == "__main__":
    program.main()
