"""Reads exported networks with nothing of ours and compares them with a safetensors file.

    python3 tests/read_onnx.py npz FILE SAFETENSORS    shapes, after comparing every value
    python3 tests/read_onnx.py onnx FILE SAFETENSORS EXAMPLES FORM           compares outputs
    python3 tests/read_onnx.py torchscript FILE SAFETENSORS EXAMPLES FORM    the same

EXAMPLES is what `gorila export --examples` wrote; its outputs are compared as well. FORM says in
JSON what the network's heads mean: {"kind": "expectation"}, {"kind": "quantiles"}, {"kind":
"categorical", "low": the lowest atom, "high": the highest}, whose output is "q", or {"kind": "policy"},
whose outputs are "policy" and "value". Convolutions have stride 1 and
observations are bytes that are not scaled.

Needs numpy, and for TorchScript the program torchscript_reader, which the environment variable
GORILA_TORCHSCRIPT_READER names. The ONNX model is computed by the operators below and, where it is
installed, by ONNX Runtime; where the package onnx is installed, its checker passes over the model first.
"""

import itertools
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


def array_of(tensor):
    """Of a TensorProto: 32-bit floats, or 64-bit integers (data type 7)."""
    element = "<i8" if tensor[2][0] == 7 else "<f4"
    return numpy.frombuffer(tensor[9][0], element).reshape(tensor.get(1, []))


class Model:
    def __init__(self, data):
        graph = read_message(read_message(data)[7][0])
        self.nodes = [read_message(node) for node in graph[1]]
        self.constants = {}
        for tensor in map(read_message, graph[5]):
            self.constants[tensor[8][0].decode()] = array_of(tensor)
        self.input = shape_of(graph[11][0])
        self.outputs = {read_message(o)[1][0].decode(): shape_of(o) for o in graph[12]}

    def compute(self, observations):
        values = {**self.constants, "observation": observations}
        for node in self.nodes:
            inputs = [values[name.decode()] for name in node[1]]
            attributes = {a[1][0].decode(): a for a in map(read_message, node.get(5, []))}
            operator = OPERATORS[node[4][0].decode()]
            values[node[2][0].decode()] = operator(attributes, *inputs)
        return [values[name] for name in self.outputs]


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


def softmax(attributes, x):
    axis = attributes["axis"][3][0]
    weights = numpy.exp(x - x.max(axis, keepdims=True))
    return weights / weights.sum(axis, keepdims=True)


OPERATORS = {
    "Add": lambda attributes, x, y: x + y,
    "Cast": lambda attributes, x: x.astype(numpy.float32),
    "Mul": lambda attributes, x, factor: x * factor,
    "Conv": convolve,
    "Relu": lambda attributes, x: numpy.maximum(x, 0),
    "Flatten": lambda attributes, x: x.reshape(len(x), -1),
    "Gemm": lambda attributes, x, weight, bias: x @ weight.T + bias,
    "MatMul": lambda attributes, x, y: x @ y,
    "ReduceMean": lambda attributes, x: x.mean(tuple(attributes["axes"][8]), keepdims=True),
    "Reshape": lambda attributes, x, sizes: x.reshape(sizes),
    "Softmax": softmax,
    "Sub": lambda attributes, x, y: x - y,
}


def compute_with_runtime(path, names, observations):
    """None where ONNX Runtime is not installed."""
    try:
        import onnxruntime
    except ImportError:
        return None
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(names, {"observation": observations})


def check_with_onnx(path):
    try:
        import onnx
    except ImportError:
        return
    onnx.checker.check_model(onnx.load(path), full_check=True)


def layers_of(reference, kind):
    """"conv1", "conv2", ... of kind "conv"."""
    names = (f"{kind}{i}" for i in itertools.count(1))
    return itertools.takewhile(lambda name: f"{name}.weight" in reference, names)


def reference_outputs(reference, observations):
    """A function from a head's name to its outputs, batch x outputs."""

    def dense(x, name):
        return x @ reference[f"{name}.weight"].astype(numpy.float64).T + reference[f"{name}.bias"]

    x = observations.astype(numpy.float64)
    stride = {"strides": {8: [1]}}
    for name in layers_of(reference, "conv"):
        x = convolve(stride, x, reference[f"{name}.weight"], reference[f"{name}.bias"])
        x = numpy.maximum(x, 0)
    x = x.reshape(len(x), -1)
    for name in layers_of(reference, "fc"):
        x = numpy.maximum(dense(x, name), 0)
    return lambda name: dense(x, name)


def reference_policy(reference, observations):
    """The probability of each action and the value, as exported networks give them."""
    outputs = reference_outputs(reference, observations)
    weights = numpy.exp(outputs("policy"))
    return [weights / weights.sum(1, keepdims=True), outputs("value")[:, 0]]


def reference_q(reference, observations, actions, form):
    """From the articles' definitions; a noisy network's means are all that plays."""
    outputs = reference_outputs(reference, observations)
    if "advantage.weight" in reference:
        advantage = outputs("advantage").reshape(len(observations), actions, -1)
        x = outputs("value")[:, None, :] + advantage - advantage.mean(1, keepdims=True)
    else:
        head = {"expectation": "q", "categorical": "logits", "quantiles": "quantiles"}
        x = outputs(head[form["kind"]]).reshape(len(observations), actions, -1)
    if form["kind"] == "expectation":
        return x[:, :, 0]
    if form["kind"] == "quantiles":
        return x.mean(2)
    probabilities = numpy.exp(x) / numpy.exp(x).sum(2, keepdims=True)
    return (probabilities * numpy.linspace(form["low"], form["high"], x.shape[2])).sum(2)


def outputs_of(form):
    return ["policy", "value"] if form["kind"] == "policy" else ["q"]


class Examples:
    def __init__(self, path, form):
        with open(path) as file:
            examples = json.load(file)
        read_safetensors.require(examples["element"] == "uint8", "observations are not bytes")
        self.shape = examples["shape"]
        observations = numpy.array(examples["observations"], numpy.uint8)
        self.observations = observations.reshape(-1, *self.shape)
        self.outputs = [numpy.array(examples[name]) for name in outputs_of(form)]


def differences(examples, reference, form, *computed):
    """Of the program's outputs and others from those of the reference."""
    if form["kind"] == "policy":
        expected = reference_policy(reference, examples.observations)
    else:
        actions = examples.outputs[0].shape[1]
        expected = [reference_q(reference, examples.observations, actions, form)]
    found = [examples.outputs, *computed]
    for outputs in found:
        shapes = [[numpy.shape(o) for o in some] for some in (outputs, expected)]
        read_safetensors.require(shapes[0] == shapes[1], f"shapes {shapes}")
    pairs = [pair for outputs in found for pair in zip(outputs, expected)]
    return {"largest_difference": max(float(numpy.abs(one - other).max()) for one, other in pairs),
            "largest_value": min(float(numpy.abs(one).max()) for one in expected)}  # fmt: skip


def compare_onnx(path, reference, examples_path, form):
    check_with_onnx(path)
    with open(path, "rb") as file:
        model = Model(file.read())
    form = json.loads(form)
    examples = Examples(examples_path, form)
    read_safetensors.require(list(model.outputs) == outputs_of(form), f"outputs {model.outputs}")
    computed = [model.compute(examples.observations)]
    runtime = compute_with_runtime(path, list(model.outputs), examples.observations)
    if runtime is not None:
        computed.append(runtime)
    return {"input": model.input, "outputs": model.outputs,
            "parameters": {name: list(array.shape) for name, array in model.constants.items()},
            **differences(examples, reference, form, *computed)}  # fmt: skip


def compare_torchscript(path, reference, examples_path, form):
    form = json.loads(form)
    examples = Examples(examples_path, form)
    reader = [os.environ["GORILA_TORCHSCRIPT_READER"], path, *map(str, examples.shape)]
    result = json.loads(
        subprocess.run(
            reader, input=examples.observations.tobytes(), check=True, capture_output=True
        ).stdout
    )
    computed = [numpy.reshape(output["values"], output["shape"]) for output in result["outputs"]]
    read_safetensors.require(len(computed) == len(outputs_of(form)), f"{len(computed)} outputs")
    return {"parameters": result["parameters"],
            **differences(examples, reference, form, computed)}  # fmt: skip


def main():
    kinds = {
        "npz": (compare_npz, 4),
        "onnx": (compare_onnx, 6),
        "torchscript": (compare_torchscript, 6),
    }
    compare, arguments = kinds.get(sys.argv[1] if len(sys.argv) > 1 else "", (None, 0))
    read_safetensors.require(len(sys.argv) == arguments, __doc__)
    json.dump(compare(sys.argv[2], tensors_of(sys.argv[3]), *sys.argv[4:]), sys.stdout)


if __name__ == "__main__":
    main()
