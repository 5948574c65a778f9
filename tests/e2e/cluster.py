"""Distributed runs for the end-to-end tests: roles as processes on loopback, and a proxy between them."""

import collections
import os
import pathlib
import re
import selectors
import socket
import sys
import threading
import time

import program

# A small network on Catch, as processes.
TINY = [
    "--env", "classic/catch", "--bundles", "2",
    "--set", "network.preset=custom", "--set", "network.hidden=[32]",
    "--set", "actor.epsilon_ticks=5000", "--set", "replay.min_size=500",
    "--set", "replay.capacity=4000", "--set", "optimizer.learning_rate=0.002",
    "--set", "parameter_server.target_period=100", "--set", "evaluation.episodes=20",
    "--set", "evaluation.best=false", "--set", "checkpoint.every_seconds=0.2",
]  # fmt: skip
TOKEN = "0123456789abcdef0123456789abcdef"


class Case(program.Case):
    """A test that starts roles by hand."""

    SHARDS = 1

    def setUp(self):
        super().setUp()
        (self.folder / "token").write_text(TOKEN + "\n")

    def start_shard(self, index=0, listen="127.0.0.1:0", state=None, *more, frames=10**9):
        """(process, address) of a shard that serves."""
        process, file = self.start_shard_unwaited(index, listen, state, *more, frames=frames)
        self.wait_until(file.exists, process)
        return process, file.read_text().strip()

    def start_shard_unwaited(self, index=0, listen="127.0.0.1:0", state=None, *more, frames=10**9):
        """(process, file): it writes its address there once it serves."""
        file = self.folder / f"address-{index}-{time.monotonic_ns()}"
        process = self.start(
            "parameter-server", *TINY, "--frames", frames, "--shards", self.SHARDS,
            "--shard", index, "--listen", listen, "--token-file", "token",
            "--state-dir", state or f"shard-{index}", "--address-file", file, *more,
        )  # fmt: skip
        return process, file

    def start_bundle(self, addresses, index=0, *more, frames=10**9):
        return self.start(
            "bundle", *TINY, "--frames", frames, "--bundle-index", index,
            "--parameter-servers", addresses, "--token-file", "token", *more,
        )  # fmt: skip

    def status(self, addresses, *more, expect=0):
        """What `gorila status` says: numbers of the run, of shard 0 and of all shards and workers."""
        stdout, _ = self.run_program(
            "status", "--parameter-servers", addresses, "--interval", "0.05",
            "--token-file", "token", *more, expect=expect,
        )  # fmt: skip
        return parse_status(stdout)

    def wait_for_status(self, condition, addresses, *processes):
        """Until `condition` holds of what status says; that. The processes must live until then."""
        deadline = time.monotonic() + program.DEADLINE
        while True:
            seen = self.status(addresses)
            if condition(seen):
                return seen
            for process in processes:
                self.assertIsNone(process.poll(), "a process ended too early")
            self.assertLess(time.monotonic(), deadline, f"nothing happened in time: {seen}")

    def wait_for_frames(self, addresses, frames, process):
        """Until the run has more frames than that; the status then."""
        return self.wait_for_status(lambda seen: seen["frames"] > frames, addresses, process)

    def show(self, text):
        """For docs/results.md, when asked to."""
        if os.environ.get("GORILA_SHOW_COUNTERS"):
            print(f"\n{self.id()}\n{text}", file=sys.stderr)

    def assert_adds_up(self, seen):
        self.show(counters_of(seen))
        for shard in seen["shards"].values():
            decided = shard["accepted"] + shard["stale"] + shard["invalid"]
            self.assertEqual(shard["pushed"], decided, seen)
            self.assertEqual(shard["accepted"], shard["version"], seen)
            self.assertEqual(shard["invalid"], 0, seen)

    def stop(self, process, expect=0):
        """Ends it as an engine does; its stderr."""
        process.terminate()
        status, stdout, stderr = self.finish(process)
        self.assertEqual(status, expect, stdout + stderr)
        return stderr


def parse_status(text):
    names = ["generation", "version", "rate", "pushed", "accepted", "stale", "invalid"]
    shards = {}
    for row in re.findall(r"^  shard" + r" +([\d.]+)" * 10 + "$", text, re.M):
        shards[int(row[0])] = {name: int(float(value)) for name, value in zip(names, row[1:])}
    seen = {**shards[0], "shards": shards}
    seen["frames_of"], seen["gradients_of"] = collections.Counter(), collections.Counter()
    worker = r"^  ((?:bundle|actor|learner) \d+) +\d+ +(\d+) +[\d.]+ +(\d+)"
    for name, frames, gradients in re.findall(worker, text, re.M):
        seen["frames_of"][name] += int(frames)  # of every process that had this name
        seen["gradients_of"][name] += int(gradients)
    refused = re.search(r"^refused:(.*)$", text, re.M)
    words = refused.group(1).split() if refused else []
    seen["refused"] = dict(zip(words[::2], map(int, words[1::2])))
    shared = re.search(r"^shared memory: (\d+) %", text, re.M)
    seen["shared_percent"] = int(shared.group(1)) if shared else 0
    seen["frames"] = int(re.search(r"run: (\d+) frames", text).group(1))
    return seen


def counters_of(seen):
    """In words, for a report."""
    shards = [
        f"shard {index}: generation {shard['generation']}, pushed {shard['pushed']} = accepted "
        f"{shard['accepted']} + stale {shard['stale']} + invalid {shard['invalid']}"
        for index, shard in seen["shards"].items()
    ]
    refused = [f"refused {count} as {reason}" for reason, count in seen["refused"].items() if count]
    return "\n".join([*shards, *refused, f"{seen['frames']} frames"])


def tls(role):
    """With the certificates that `gorila certs certs` has made."""
    return [
        "--tls-cert", f"certs/{role}.crt", "--tls-key", f"certs/{role}.key",
        "--tls-ca", "certs/ca.crt",
    ]  # fmt: skip


class Proxy:
    """Forwards TCP connections to `target` (host:port), and can cut, stall, slow or redirect them."""

    def __init__(self, target):
        self.target = target
        self.cut_after = None  # bytes forwarded by a connection until it is cut
        self.stalled = False
        self.rate = None  # bytes a second of a connection, both directions together
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self._pairs = set()
        self._lock = threading.Lock()
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Cuts every present connection."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for end in pair:
                shut(end)

    def close(self):
        self._closed = True
        self._listener.close()
        self.cut()

    def _accept(self):
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                host, port = self.target.split(":")
                server = socket.create_connection((host, int(port)), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                self._pairs.add((client, server))
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()

    def _forward(self, client, server):
        forwarded = 0
        with selectors.DefaultSelector() as selector:
            try:
                selector.register(client, selectors.EVENT_READ, server)
                selector.register(server, selectors.EVENT_READ, client)
                while self.cut_after is None or forwarded < self.cut_after:
                    for key, _ in selector.select(timeout=0.05):
                        if self.stalled:
                            time.sleep(0.01)
                            continue
                        data = key.fileobj.recv(65536)
                        if not data:
                            return
                        key.data.sendall(data)
                        forwarded += len(data)
                        if self.rate:
                            time.sleep(len(data) / self.rate)
            except (OSError, ValueError):
                pass
            finally:
                with self._lock:
                    self._pairs.discard((client, server))
                for end in (client, server):
                    shut(end)


def shut(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    end.close()


def children_of(pid, verb):
    """Process ids of the children that run `gorila <verb>`, the oldest first."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            arguments = (stat.parent / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        parent, started = int(fields[1]), int(fields[19])
        if parent == pid and len(arguments) > 1 and arguments[1] == verb.encode():
            found.append((started, int(stat.parent.name)))
    return [child for _, child in sorted(found)]
