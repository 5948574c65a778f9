"""Reads a safetensors file with nothing of ours and prints what it holds as JSON.

    python3 tests/read_safetensors.py FILE

Needs numpy. Ends with status 1 and a message when the file is not as the format wants it, 2 when
numpy is missing.
"""

import json
import math
import struct
import sys

try:
    import numpy
except ImportError:
    print("read_safetensors.py: needs numpy (package python3-numpy)", file=sys.stderr)
    sys.exit(2)


def require(condition, message):
    if not condition:
        print(f"read_safetensors.py: {message}", file=sys.stderr)
        sys.exit(1)


def read_header(data):
    """The parsed header and the bytes after it."""
    require(len(data) >= 8, "shorter than the header length")
    (length,) = struct.unpack("<Q", data[:8])
    require(8 + length <= len(data), f"header length {length} exceeds the file")
    require(length % 8 == 0, f"header length {length} leaves the values unaligned")
    text = data[8 : 8 + length]
    require(text[:1] == b"{", "header does not begin with '{'")
    require(text.rstrip(b" ")[-1:] == b"}", "header is padded with something else than spaces")

    def unique(pairs):
        names = [name for name, _ in pairs]
        require(len(set(names)) == len(names), f"duplicate key among {names}")
        return dict(pairs)

    return json.loads(text.decode("utf-8"), object_pairs_hook=unique), data[8 + length :]


def read_tensors(header, values):
    """(name, array) of each tensor, in the order in which they lie."""
    end_of_last = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        require(set(entry) == {"dtype", "shape", "data_offsets"}, f"{name}: keys {sorted(entry)}")
        require(entry["dtype"] == "F32", f"{name}: dtype {entry['dtype']}")
        begin, end = entry["data_offsets"]
        require(begin == end_of_last, f"{name}: begins at {begin}, expected {end_of_last}")
        require(end - begin == 4 * math.prod(entry["shape"]), f"{name}: shape and size differ")
        require(end <= len(values), f"{name}: ends at {end} of {len(values)} bytes")
        yield name, numpy.frombuffer(values[begin:end], dtype="<f4").reshape(entry["shape"])
        end_of_last = end
    require(end_of_last == len(values), f"{len(values) - end_of_last} bytes are no tensor's")


def describe(name, array):
    """`weighted_mean` (each value times its row-major position) tells a wrong order."""
    flat = array.astype(numpy.float64).ravel()
    return {
        "name": name,
        "shape": list(array.shape),
        "mean": float(flat.mean()) if flat.size else 0.0,
        "weighted_mean": float((flat * numpy.arange(flat.size)).mean()) if flat.size else 0.0,
    }


def main():
    require(len(sys.argv) == 2, "usage: read_safetensors.py FILE")
    with open(sys.argv[1], "rb") as file:
        header, values = read_header(file.read())
    metadata = header.pop("__metadata__", {})
    require(all(isinstance(value, str) for value in metadata.values()), "metadata is not strings")
    tensors = [describe(name, array) for name, array in read_tensors(header, values)]
    json.dump({"metadata": metadata, "tensors": tensors}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
