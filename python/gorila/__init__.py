"""Gorila's trained networks and games in Python. docs/library.md has examples.

    agent = gorila.load("runs/mine")            # agent.predict(observation), agent.q_values(...)
                                                # or, of a policy, agent.probabilities(...)
    env = gorila.make("minatar/breakout")       # an environment of Gymnasium's interface
    gorila.evaluate(agent, env, episodes=30)    # whole games of any policy
    gorila.Run("runs/mine").metrics()           # what the run logged
"""

from gorila import gym
from gorila.environments import NAMES, Environment, VectorEnvironment, make, make_vec, register
from gorila.errors import Error, InvalidArgument, NotFound
from gorila.evaluation import Evaluation, evaluate
from gorila.network import Network, load
from gorila.run import Run
from gorila.spec import Spec

__version__ = "0.1.0"
__all__ = [
    "NAMES", "Environment", "Error", "Evaluation", "InvalidArgument", "Network", "NotFound", "Run",
    "Spec", "VectorEnvironment", "evaluate", "load", "make", "make_vec",
]  # fmt: skip

if gym.gymnasium is not None:
    register()
