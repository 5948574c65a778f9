"""An exported network in ONNX Runtime: Q-values (or a policy's outputs) and actions.

    gorila export runs/first --format onnx --output network.onnx --examples q.json
    python3 examples/onnx_policy.py network.onnx q.json

q.json has observations from play and what Gorila computes from them.
"""

import json
import sys

import numpy as np
import onnxruntime


def main(network, examples):
    examples = json.load(open(examples))
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    observations = np.reshape(examples["observations"], (-1, *examples["shape"]))
    outputs = session.run(None, {"observation": observations.astype(examples["element"])})
    for output, values in zip(session.get_outputs(), outputs):
        if output.name in ("q", "policy"):
            print("actions", *values.argmax(axis=1))
        difference = abs(values - np.array(examples[output.name])).max()
        print(f"largest difference from gorila's {output.name}: {difference:.1e}")


if __name__ == "__main__":
    main(*sys.argv[1:])
