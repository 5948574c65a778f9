"""The cheap environment of `gorila benchmark env`: what a worker adds to the time of its steps."""

import random

import numpy


class Observations:
    shape = (4,)
    dtype = numpy.dtype("float32")


class Actions:
    n = 3

    def contains(self, action):
        return isinstance(action, numpy.integer) and 0 <= action < 2


class Pole:
    """A pole on a cart, computed as Gymnasium's CartPole is: in numpy's scalars.

    Action 2 steps all environments of this process in turns, DIRECT times together: a loop in Python
    without a bridge.
    """

    observation_space = Observations()
    action_space = Actions()

    gravity, force, length, tau = 9.8, 10.0, 0.5, 0.02
    pole_mass, total_mass, pole_mass_length = 0.1, 1.1, 0.05
    most_x, most_angle = 2.4, 0.2095

    def __init__(self):
        self.random = random.Random(0)
        self.state = None

    def reset(self, seed=None, options=None):
        if seed is not None:
            self.random.seed(seed)
        self.state = numpy.array([self.random.uniform(-0.05, 0.05) for _ in range(4)])
        return self.state.astype(numpy.float32), {}

    def step(self, action):
        if not self.action_space.contains(action):
            return step_directly()
        x, speed, angle, turning = self.state
        force = self.force if action == 1 else -self.force
        cosine, sine = numpy.cos(angle), numpy.sin(angle)
        pushed = (force + self.pole_mass_length * numpy.square(turning) * sine) / self.total_mass
        turn = (self.gravity * sine - cosine * pushed) / (
            self.length * (4.0 / 3.0 - self.pole_mass * numpy.square(cosine) / self.total_mass))
        acceleration = pushed - self.pole_mass_length * turn * cosine / self.total_mass
        x = x + self.tau * speed
        speed = speed + self.tau * acceleration
        angle = angle + self.tau * turning
        turning = turning + self.tau * turn
        self.state = numpy.array((x, speed, angle, turning), dtype=numpy.float64)
        ended = bool(x < -self.most_x or x > self.most_x or
                     angle < -self.most_angle or angle > self.most_angle)
        return numpy.array(self.state, dtype=numpy.float32), 1.0, ended, False, {}


class Wrapper:
    """Like the two that gymnasium.make puts around it."""

    def __init__(self, env, limit):
        self.env, self.limit, self.steps = env, limit, None
        self.observation_space, self.action_space = env.observation_space, env.action_space

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return self.env.reset(seed=seed, options=options)

    def step(self, action):
        if self.steps is None:
            raise RuntimeError("step before reset")
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.steps += 1
        if self.steps >= self.limit:
            truncated = True
        return observation, reward, terminated, truncated, info


DIRECT = 992  # a multiple of 1, 8 and 32
ACTIONS = [numpy.int64(i * i % 3 % 2) for i in range(DIRECT)]
made = []


def make():
    made.append(Wrapper(Wrapper(Pole(), 500), 500))
    return made[-1]


def step_directly():
    for first in range(0, DIRECT, len(made)):
        for env, action in zip(made, ACTIONS[first:]):
            observation, reward, terminated, truncated, info = env.step(action)
            if terminated or truncated:
                env.reset()
    return observation, reward, False, False, info
