"""Reads protobuf messages with nothing of ours and without their definitions."""

import struct


def read_varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def read_message(data):
    """{field number: [value, ...]} of one message; bytes stay bytes."""
    fields, at = {}, 0
    while at < len(data):
        key, at = read_varint(data, at)
        wire_type = key & 7
        if wire_type == 0:
            value, at = read_varint(data, at)
        elif wire_type == 1:
            (value,), at = struct.unpack_from("<d", data, at), at + 8
        elif wire_type == 5:
            (value,), at = struct.unpack_from("<f", data, at), at + 4
        else:
            assert wire_type == 2, f"wire type {wire_type}"
            length, at = read_varint(data, at)
            value, at = data[at : at + length], at + length
            assert len(value) == length
        fields.setdefault(key >> 3, []).append(value)
    return fields
