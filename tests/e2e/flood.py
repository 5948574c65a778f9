#!/usr/bin/env python3
"""What strangers can cost a server's port: floods of HTTP/2 by hand, without the run's token.

python3 -B tests/e2e/flood.py [--seconds 8] [--kinds calls,resets]

starts a parameter server for each kind of flood, sends as fast as it is taken, from two processes that connect
again when they are cut off, and prints how much the server's memory grew at its peak, and whether and how soon
`gorila status` was answered meanwhile.
"""

import argparse
import functools
import itertools
import multiprocessing
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time

import cluster
import program
import raw_call

METHOD = "gorila.v1.ParameterServer/GetStatus"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + raw_call.frame(raw_call.SETTINGS, 0, 0, b"")
PING, CONTINUATION = 6, 9
BATCH = 500


def headers(address, indexed):
    """A header block without a token; `indexed`: as the table of the connection names it from the second on."""
    names = {
        ":method": "POST", ":scheme": "http", ":path": f"/{METHOD}", ":authority": address,
        "te": "trailers", "content-type": "application/grpc", "grpc-timeout": "60S",
    }  # fmt: skip
    if indexed:
        return bytes(0x80 | 62 + i for i in range(len(names)))
    return b"".join(b"\x40" + raw_call.literal(header)[1:] for header in names.items())


def of_streams(address, flags, after=lambda stream: b""):
    """Without end, batches of calls on new streams."""
    for batch in itertools.count():
        frames = []
        for i in range(batch * BATCH, (batch + 1) * BATCH):
            stream = 2 * i + 1
            block = headers(address, indexed=i > 0)
            frames.append(raw_call.frame(raw_call.HEADERS, flags, stream, block))
            frames.append(after(stream))
        yield b"".join(frames)


def resets(address):
    reset = functools.partial(raw_call.frame, raw_call.RST_STREAM, 0, data=b"\0\0\0\x08")
    return of_streams(address, raw_call.END_HEADERS, reset)


def continuations(address):
    yield raw_call.frame(raw_call.HEADERS, 0, 1, headers(address, indexed=False))
    field = b"\x40" + raw_call.literal(("x", "y" * 100))[1:]
    yield from itertools.repeat(raw_call.frame(CONTINUATION, 0, 1, field * 150) * 4)


KINDS = {
    "calls": lambda address: of_streams(address, raw_call.END_HEADERS | raw_call.END_STREAM),
    "streams": lambda address: of_streams(address, raw_call.END_HEADERS),
    "resets": resets,
    "continuations": continuations,
    "settings": lambda _: itertools.repeat(raw_call.frame(raw_call.SETTINGS, 0, 0, b"") * BATCH),
    "pings": lambda _: itertools.repeat(raw_call.frame(PING, 0, 0, b"12345678") * BATCH),
}


def connect(address):
    host, port = address.split(":")
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # answers are not taken
    peer.settimeout(1)
    peer.connect((host, int(port)))
    return peer


def send_until_cut(address, kind, deadline=float("inf"), limit=float("inf")):
    """Floods one connection until it is cut off, takes nothing for a second, or the end; the bytes sent."""
    sent = 0
    try:
        with connect(address) as peer:
            peer.sendall(PREFACE)
            for data in KINDS[kind](address):
                if time.monotonic() > deadline or sent >= limit:
                    break
                peer.sendall(data)
                sent += len(data)
    except OSError:
        pass
    return sent


def flood(address, kind, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        send_until_cut(address, kind, deadline)


def hold(address, seconds, connections=600, hello=b""):
    """Keeps that many connections that say no more than `hello`, connecting again for those that are cut off."""
    deadline = time.monotonic() + seconds
    held = []
    while time.monotonic() < deadline:
        held = [peer for peer in held if is_open(peer)]
        try:
            while len(held) < connections and time.monotonic() < deadline:
                held.append(connect(address))
                held[-1].sendall(hello)
        except OSError:
            time.sleep(0.01)
    for peer in held:
        peer.close()


def is_open(peer):
    try:
        return peer.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def client_hello():
    sent = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["h2"])
    try:
        context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="server.gorila").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return sent.read()


def memory_of(pid, name):
    """In bytes: VmRSS or VmHWM, the most so far."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M).group(1)) * 1024


def attackers_of(kind, address, seconds):
    if kind == "connections":
        return [(hold, (address, seconds))] * 2
    if kind == "handshakes":
        return [(hold, (address, seconds, 600, client_hello()))] * 2
    return [(flood, (address, kind, seconds))] * 2


def measure(kind, seconds):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "token").write_text(cluster.TOKEN + "\n")
        credentials = ["--token-file", "token"]
        as_operator = list(credentials)
        if kind == "handshakes":
            subprocess.run([program.PROGRAM, "certs", "certs"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            credentials += cluster.tls("parameter-server")
            as_operator += cluster.tls("operator")
        server = subprocess.Popen(
            [program.PROGRAM, "parameter-server", *cluster.TINY, "--shards", "1", "--shard", "0",
             "--listen", "127.0.0.1:0", "--state-dir", "state", "--address-file", "address", *credentials],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            address = wait_for(pathlib.Path(folder) / "address", server)
            status = [program.PROGRAM, "status", "--parameter-servers", address, "--interval", "0.05", *as_operator]
            subprocess.run(status, cwd=folder, stdout=subprocess.DEVNULL, check=True)
            before = memory_of(server.pid, "VmRSS")
            attackers = [
                multiprocessing.Process(target=run, args=arguments)
                for run, arguments in attackers_of(kind, address, seconds)
            ]
            for attacker in attackers:
                attacker.start()
            time.sleep(seconds / 2)
            began = time.monotonic()
            try:
                code = subprocess.run(status, cwd=folder, capture_output=True, timeout=seconds).returncode
                answer = f"{'answers' if code == 0 else f'exit status {code}'} after {time.monotonic() - began:.2f} s"
            except subprocess.TimeoutExpired:
                answer = f"no answer in {seconds} s"
            for attacker in attackers:
                attacker.join()
            grown = memory_of(server.pid, "VmHWM") - before
            print(f"{kind:14} {grown / 2**20:8.1f} MiB   status {answer}", flush=True)
        finally:
            server.kill()
            server.wait()


def wait_for(file, server):
    deadline = time.monotonic() + program.DEADLINE
    while not file.exists():
        if server.poll() is not None or time.monotonic() > deadline:
            sys.exit("the parameter server did not start")
        time.sleep(0.02)
    return file.read_text().strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--kinds", default=",".join([*KINDS, "connections", "handshakes"]))
    arguments = parser.parse_args()
    for kind in arguments.kinds.split(","):
        measure(kind, arguments.seconds)


if __name__ == "__main__":
    main()
