"""What callers without the run's token can cost a server, and that they keep nobody else out."""


import cluster
import flood
import program

LIMIT = 64 << 20  # bytes sent in a flood that is not cut off
GROWTH = 32 << 20  # bytes of the server's memory; a flood of half a megabyte cost as much before


class Floods(cluster.Case):
    def test_a_flood_is_cut_off_and_costs_nothing(self):
        shard, address = self.start_shard()
        self.status(address)
        before = flood.memory_of(shard.pid, "VmRSS")
        for kind in flood.KINDS:
            with self.subTest(kind=kind):
                sent = flood.send_until_cut(address, kind, limit=LIMIT)
                self.assertLess(sent, LIMIT)
                self.assertLess(flood.memory_of(shard.pid, "VmHWM") - before, GROWTH)
        self.assertEqual(self.status(address)["pushed"], 0)
        self.stop(shard)

    def test_more_connections_than_descriptors_keep_nobody_out(self):
        # As many as a service has by default would need as many here.
        limit = ["prlimit", "--nofile=200:200"]
        file = self.folder / "address"
        shard = self.start(
            "parameter-server", *cluster.TINY, "--shards", "1", "--shard", "0", "--listen",
            "127.0.0.1:0", "--token-file", "token", "--state-dir", "state", "--address-file", file,
            wrapper=limit,
        )  # fmt: skip
        self.wait_until(file.exists, shard)
        address = file.read_text().strip()
        held = [flood.connect(address) for _ in range(300)]
        self.assertEqual(self.status(address)["pushed"], 0)
        for peer in held:
            peer.close()
        self.assertEqual(self.status(address)["pushed"], 0)
        self.stop(shard)


if __name__ == "__main__":
    program.main()
