"""Calls as no client of the project makes them: HTTP/2 frames by hand, for what a server must refuse."""

import socket
import struct

import program

DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, END_HEADERS = 1, 4


def message(data, announced=None):
    """A gRPC message, which may announce another length than it has."""
    return struct.pack(">BI", 0, len(data) if announced is None else announced) + data


def call(address, method, body, metadata):
    """Sends a whole request and waits for the server to end its answer."""
    host, port = address.split(":")
    headers = {
        ":method": "POST", ":scheme": "http", ":path": f"/{method}", ":authority": address,
        "te": "trailers", "content-type": "application/grpc", **metadata,
    }  # fmt: skip
    with socket.create_connection((host, int(port)), timeout=program.DEADLINE) as peer:
        peer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, b""))
        peer.sendall(frame(HEADERS, END_HEADERS, 1, b"".join(map(literal, headers.items()))))
        peer.sendall(frame(DATA, END_STREAM, 1, body))
        with peer.makefile("rb") as answer:
            while not ends(*read_frame(answer)):
                pass


def flood(address, method, calls, metadata):
    """Begins calls on one connection, and takes no answers. The connection, which the caller closes."""
    host, port = address.split(":")
    headers = {
        ":method": "POST", ":scheme": "http", ":path": f"/{method}", ":authority": address,
        "te": "trailers", "content-type": "application/grpc", **metadata,
    }  # fmt: skip
    block = b"".join(map(literal, headers.items()))
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.settimeout(program.DEADLINE)
    peer.connect((host, int(port)))
    peer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, b""))
    try:
        for first in range(0, calls, 100):
            streams = range(2 * first + 1, 2 * (first + 100), 2)
            peer.sendall(b"".join(frame(HEADERS, END_HEADERS, i, block) for i in streams))
    except OSError:
        pass  # cut off, which is as good
    return peer


def frame(kind, flags, stream, data):
    return struct.pack(">I", len(data))[1:] + struct.pack(">BBI", kind, flags, stream) + data


def literal(header):
    """A header field in HPACK, neither indexed nor compressed; shorter than 127 bytes each."""
    name, value = (part.encode() for part in header)
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def read_frame(answer):
    """(kind, flags, stream) of the next frame."""
    head = answer.read(9)
    if len(head) < 9:
        return GOAWAY, 0, 0
    answer.read(int.from_bytes(head[:3], "big"))
    return struct.unpack(">BBI", head[3:])


def ends(kind, flags, stream):
    return kind in (RST_STREAM, GOAWAY) or (kind == HEADERS and stream == 1 and flags & END_STREAM)
