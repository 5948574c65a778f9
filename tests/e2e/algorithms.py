"""A small run of each kind of algorithm, for tests that compute its network with other programs."""

import program

# Settings, and what the outputs mean, as tests/read_onnx.py takes it.
ALGORITHMS = {
    "dqn": (["learner.algorithm=dqn"], {"kind": "expectation"}),
    "dqn-dueling": (["learner.algorithm=dqn", "network.dueling=true"], {"kind": "expectation"}),
    "munchausen": (["learner.algorithm=munchausen"], {"kind": "expectation"}),
    "c51": (["learner.algorithm=c51"], {"kind": "categorical", "low": -10, "high": 10}),
    "c51-dueling-noise": (
        ["learner.algorithm=c51", "network.dueling=true", "network.noise=0.5",
         "learner.atoms=21", "learner.value_min=-2", "learner.value_max=3"],
        {"kind": "categorical", "low": -2, "high": 3},
    ),
    "qr_dqn-dueling": (
        ["learner.algorithm=qr_dqn", "network.dueling=true", "learner.atoms=16"],
        {"kind": "quantiles"},
    ),
    "vtrace": (
        ["learner.algorithm=vtrace", "learner.n_step=1", "learner.unroll=10",
         "learner.batch_size=4", "replay.selector=queue", "actor.epsilon_start=0",
         "actor.epsilon_end=0"],
        {"kind": "policy"},
    ),
}  # fmt: skip


def overrides(name):
    """Arguments of `gorila train`."""
    settings, _ = ALGORITHMS[name]
    return [argument for setting in settings for argument in ["--set", setting]]


def train(case, name):
    """Trains in the folder `name`; what the outputs mean."""
    case.run_program(
        "train", *program.TINY, "--frames", "2000", "--deterministic", "--quiet",
        "--set", "evaluation.episodes=1", *overrides(name), "--run-dir", name,
    )  # fmt: skip
    return ALGORITHMS[name][1]
