"""A network trained on a MinAtar game, in NumPy alone: Q-values and actions from final.safetensors.

    gorila export runs/first --format npz --output /tmp/network.npz --examples q.json
    python3 examples/numpy_policy.py runs/first/final.safetensors q.json

q.json has observations from play and what Gorila computes from them. The network is that of the
preset minatar: a convolution of 3 x 3, a hidden layer, and a Q-value for each action.
"""

import json
import struct
import sys

import numpy as np


def load(path):
    """{"conv1.weight": array, ...}"""
    data = open(path, "rb").read()
    (length,) = struct.unpack_from("<Q", data)
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = np.frombuffer(data[8 + length + begin : 8 + length + end], "<f4")
            tensors[name] = values.reshape(entry["shape"])
    return tensors


def q_values(tensors, observations):
    """(N, actions), of observations (N, channels, height, width)."""
    patches = np.lib.stride_tricks.sliding_window_view(observations.astype("f4"), (3, 3), axis=(2, 3))
    x = np.einsum("ncyxij,ocij->noyx", patches, tensors["conv1.weight"])
    x = np.maximum(x + tensors["conv1.bias"][:, None, None], 0).reshape(len(x), -1)
    x = np.maximum(x @ tensors["fc1.weight"].T + tensors["fc1.bias"], 0)
    return x @ tensors["q.weight"].T + tensors["q.bias"]


def main(network, examples):
    examples = json.load(open(examples))
    observations = np.reshape(examples["observations"], (-1, *examples["shape"]))
    q = q_values(load(network), observations)
    print("actions", *q.argmax(axis=1))
    print(f"largest difference from gorila's Q-values: {abs(q - examples['q']).max():.1e}")


if __name__ == "__main__":
    main(*sys.argv[1:])
