"""Reads exported networks with nothing of ours and compares them with a safetensors file.

    python3 tests/read_onnx.py npz FILE SAFETENSORS     shapes, after comparing every value
    python3 tests/read_onnx.py onnx FILE SAFETENSORS    compares Q-values of random observations
    python3 tests/read_onnx.py torchscript FILE SAFETENSORS    the same

Needs numpy, and for TorchScript the program torchscript_reader, which the environment variable
GORILA_TORCHSCRIPT_READER names. The ONNX model is computed by ONNX Runtime where that is installed, else by the operators
below; where the package onnx is installed, its checker passes over the model first.
"""

import json
import os
import subprocess
import sys

import numpy
import read_safetensors
from read_protobuf import read_message


def tensors_of(path):
    with open(path, "rb") as file:
        header, values = read_safetensors.read_header(file.read())
    header.pop("__metadata__", None)
    return dict(read_safetensors.read_tensors(header, values))


def compare_npz(path, reference):
    with numpy.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    read_safetensors.require(list(arrays) == list(reference), f"tensors {sorted(arrays)}")
    for name, array in arrays.items():
        same = array.dtype == numpy.float32 and numpy.array_equal(array, reference[name])
        read_safetensors.require(same, f"{name} differs")
    return {name: list(array.shape) for name, array in arrays.items()}


# --- The protobuf messages of ONNX -----------------------------------------------------------------


def shape_of(value):
    """Of a ValueInfoProto: sizes, and names where they are open."""
    tensor = read_message(read_message(read_message(value)[2][0])[1][0])
    dimensions = map(read_message, read_message(tensor[2][0])[1])
    return [d[1][0] if 1 in d else d[2][0].decode() for d in dimensions]


class Model:
    def __init__(self, data):
        graph = read_message(read_message(data)[7][0])
        self.nodes = [read_message(node) for node in graph[1]]
        self.constants = {}
        for tensor in map(read_message, graph[5]):
            array = numpy.frombuffer(tensor[9][0], "<f4").reshape(tensor.get(1, []))
            self.constants[tensor[8][0].decode()] = array
        self.input, self.output = shape_of(graph[11][0]), shape_of(graph[12][0])

    def compute(self, observations):
        values = {**self.constants, "observation": observations}
        for node in self.nodes:
            inputs = [values[name.decode()] for name in node[1]]
            attributes = {a[1][0].decode(): a for a in map(read_message, node.get(5, []))}
            operator = OPERATORS[node[4][0].decode()]
            values[node[2][0].decode()] = operator(attributes, *inputs)
        return values["q"]


def convolve(attributes, x, weight, bias):
    stride = attributes["strides"][8][0]
    size = weight.shape[2]
    rows = range(0, x.shape[2] - size + 1, stride)
    columns = range(0, x.shape[3] - size + 1, stride)
    y = numpy.empty((len(x), len(weight), len(rows), len(columns)), numpy.float32)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            patch = x[:, :, row : row + size, column : column + size]
            y[:, :, i, j] = numpy.tensordot(patch, weight, ([1, 2, 3], [1, 2, 3])) + bias
    return y


OPERATORS = {
    "Cast": lambda attributes, x: x.astype(numpy.float32),
    "Mul": lambda attributes, x, factor: x * factor,
    "Conv": convolve,
    "Relu": lambda attributes, x: numpy.maximum(x, 0),
    "Flatten": lambda attributes, x: x.reshape(len(x), -1),
    "Gemm": lambda attributes, x, weight, bias: x @ weight.T + bias,
}


def compute_with_runtime(path, observations):
    """None where ONNX Runtime is not installed."""
    try:
        import onnxruntime
    except ImportError:
        return None
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["q"], {"observation": observations})[0]


def check_with_onnx(path):
    try:
        import onnx
    except ImportError:
        return
    onnx.checker.check_model(onnx.load(path), full_check=True)


def reference_q(reference, observations):
    """The network of minatar_dqn, from its description: one convolution, one hidden layer."""
    x = observations.astype(numpy.float64)
    stride = {"strides": {8: [1]}}
    x = numpy.maximum(convolve(stride, x, reference["conv1.weight"], reference["conv1.bias"]), 0)
    x = x.reshape(len(x), -1)
    x = numpy.maximum(x @ reference["fc1.weight"].T + reference["fc1.bias"], 0)
    return x @ reference["q.weight"].T + reference["q.bias"]


def compare_onnx(path, reference):
    check_with_onnx(path)
    with open(path, "rb") as file:
        model = Model(file.read())
    random = numpy.random.default_rng(1)
    observations = random.integers(0, 2, (5, *model.input[1:]), numpy.uint8)
    expected = reference_q(reference, observations)
    difference = numpy.abs(model.compute(observations) - expected).max()
    computed = compute_with_runtime(path, observations)
    if computed is not None:
        difference = max(difference, numpy.abs(computed - expected).max())
    return {"input": model.input, "output": model.output,
            "largest_difference": float(difference),
            "largest_value": float(numpy.abs(expected).max())}  # fmt: skip


def compare_torchscript(path, reference):
    shape = [4, 10, 10]
    random = numpy.random.default_rng(1)
    observations = random.integers(0, 2, (5, *shape), numpy.uint8)
    expected = reference_q(reference, observations)
    reader = [os.environ["GORILA_TORCHSCRIPT_READER"], path, *map(str, shape)]
    result = json.loads(
        subprocess.run(reader, input=observations.tobytes(), check=True, capture_output=True).stdout
    )
    computed = numpy.reshape(result["q"], expected.shape)
    return {"parameters": result["parameters"],
            "largest_difference": float(numpy.abs(computed - expected).max()),
            "largest_value": float(numpy.abs(expected).max())}  # fmt: skip


def main():
    kinds = {"npz": compare_npz, "onnx": compare_onnx, "torchscript": compare_torchscript}
    read_safetensors.require(len(sys.argv) == 4 and sys.argv[1] in kinds, __doc__)
    json.dump(kinds[sys.argv[1]](sys.argv[2], tensors_of(sys.argv[3])), sys.stdout)


if __name__ == "__main__":
    main()
