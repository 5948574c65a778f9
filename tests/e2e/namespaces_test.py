"""Roles on several hosts under mutual TLS, whose network loses packets, is slow and comes apart."""

import contextlib
import shutil
import signal

import cluster
import hosts
import program

LOSS = 0.01
RATE = "20mbit"


class Case(cluster.Case):
    """Hosts with a bad network between them; the status is asked from the first."""

    HOSTS = 3

    def setUp(self):
        super().setUp()
        reason = hosts.unavailable()
        if reason:
            self.skipTest(f"no network namespaces: {reason}")
        self.network = hosts.Network(self.HOSTS)
        self.addCleanup(self.network.close)
        for host in self.network.hosts:
            host.lose(LOSS)
            host.limit(RATE)
        self.run_program("certs", "certs")

    @contextlib.contextmanager
    def on(self, host):
        self.prefix, before = host.enter, self.prefix
        try:
            yield
        finally:
            self.prefix = before

    def start_shard_on(self, host, index, address, state=None):
        with self.on(host):
            return self.start_shard(index, address, state, *cluster.tls("parameter-server"))

    def start_bundle_on(self, host, addresses, index):
        with self.on(host):
            return self.start_bundle(addresses, index, *cluster.tls("bundle"))

    def status(self, addresses, *more, expect=0):
        with self.on(self.network.hosts[0]):
            return super().status(addresses, *cluster.tls("operator"), *more, expect=expect)

    def goes_on(self, addresses, *bundles):
        """Until these bundles have acted, and every shard has learned; the status then."""
        names = [f"bundle {index}" for index in bundles]
        before = self.status(addresses)
        return self.wait_for_status(
            lambda seen: all(seen["frames_of"][n] > before["frames_of"][n] + 500 for n in names)
            and all(
                shard["version"] > before["shards"][i]["version"] + 50
                for i, shard in seen["shards"].items()
            ),
            addresses,
        )

    def end(self, addresses, bundles, shards):
        for bundle in bundles:
            self.stop(bundle, expect=130)
        seen = self.status(addresses)
        self.assertEqual(len(seen["shards"]), self.SHARDS)
        self.assert_adds_up(seen)
        self.assertEqual(seen["refused"].get("malformed", 0), 0, seen)
        for shard in shards:
            self.stop(shard)


class Bundles(Case):
    SHARDS = 2

    def test_a_host_that_is_cut_off_is_not_missed_and_contributes_again(self):
        servers, left, right = self.network.hosts
        shards = [self.start_shard_on(servers, i, f"{servers.address}:0") for i in range(2)]
        addresses = ",".join(address for _, address in shards)
        bundles = [self.start_bundle_on(left, addresses, 0), self.start_bundle_on(right, addresses, 1)]
        self.goes_on(addresses, 0, 1)

        left.partition()
        cut_off = self.goes_on(addresses, 1)["frames_of"]["bundle 0"]
        seen = self.goes_on(addresses, 1)
        self.assertEqual(seen["frames_of"]["bundle 0"], cut_off)
        self.assertIsNone(bundles[0].poll(), "it waits")

        left.heal()
        self.goes_on(addresses, 0, 1)
        self.end(addresses, bundles, [process for process, _ in shards])


class Shards(Case):
    """Shard 1 has an address that can move from its host to the spare one."""

    HOSTS = 4
    SHARDS = 2
    ADDRESS = "10.77.0.101"

    def setUp(self):
        super().setUp()
        self.servers, self.home, self.spare, bundles = self.network.hosts
        self.home.add_address(self.ADDRESS)
        self.first, first = self.start_shard_on(self.servers, 0, f"{self.servers.address}:0")
        self.old, self.moving = self.start_shard_on(self.home, 1, f"{self.ADDRESS}:0")
        self.addresses = f"{first},{self.moving}"
        self.bundles = [self.start_bundle_on(bundles, self.addresses, i) for i in range(2)]
        self.goes_on(self.addresses, 0, 1)
        snapshots = self.folder / "shard-1" / "snapshots"
        self.wait_until(lambda: any(snapshots.glob("0*/manifest.json")), self.old)

    def replace(self, state):
        """Starts the shard's replacement on the spare host, while its own is cut off."""
        self.home.partition()
        self.spare.add_address(self.ADDRESS)
        self.network.forget_neighbours()
        new, _ = self.start_shard_on(self.spare, 1, self.moving, state)
        seen = self.goes_on(self.addresses, 0, 1)
        self.assertEqual(seen["shards"][1]["generation"], 2)
        return new

    def assert_old_one_ends(self):
        status, _, stderr = self.finish(self.old)
        self.assertEqual(status, 1)
        self.assertRegex(stderr, "replaced this process|this process was replaced")

    def test_a_replaced_one_ends_at_what_it_finds_in_its_state_folder(self):
        new = self.replace("shard-1")
        self.assert_old_one_ends()
        self.end(self.addresses, self.bundles, [self.first, new])

    def test_a_replaced_one_with_a_disk_of_its_own_ends_when_bundles_reach_it_again(self):
        self.old.send_signal(signal.SIGSTOP)
        shutil.copytree(self.folder / "shard-1", self.folder / "replica")
        self.old.send_signal(signal.SIGCONT)
        new = self.replace("replica")
        self.assertIsNone(self.old.poll(), "nobody has told it")

        # Healed, and for a while the bundles are led to the old one.
        self.spare.drop_address(self.ADDRESS)
        self.home.heal()
        self.network.forget_neighbours()
        self.assert_old_one_ends()
        self.home.drop_address(self.ADDRESS)
        self.spare.add_address(self.ADDRESS)
        self.network.forget_neighbours()
        self.goes_on(self.addresses, 0, 1)
        self.end(self.addresses, self.bundles, [self.first, new])


if __name__ == "__main__":
    program.main()
