"""Environments for the tests of worker processes: Gymnasium's interface without Gymnasium."""

import ctypes
import os
import random
import sys
import time

import numpy


class Box:
    def __init__(self, shape, dtype):
        self.shape, self.dtype = shape, numpy.dtype(dtype)


class Discrete:
    def __init__(self, n, start=0):
        self.n, self.start = n, start


class Dict:
    pass


class Walk:
    """Random rewards and observations that depend on the seed, the actions and nothing else.

    Every third step on average ends the episode; the 9th cuts it off. Action 5 (of 5, 6, 7) counts
    more. The keyword arguments break it at its `at`th step, counted over its life: `fault` is what
    happens, each time or, with `once` (a file that is removed then), once.
    """

    observation_space = Box((4,), "float32")
    action_space = Discrete(3, start=5)

    def __init__(self, at=0, fault="", once=None, pid_file=None, ends=3):
        self.at, self.fault, self.once, self.ends = at, fault, once, ends
        self.pid_file = pid_file
        self.random = random.Random(0)
        self.total = 0
        self.steps = 0
        if pid_file:
            with open(pid_file, "a") as file:
                file.write(f"{os.getpid()}\n")

    def observe(self):
        return numpy.array([self.random.random(), self.steps, self.total, self.sum], numpy.float32)

    def reset(self, seed=None, options=None):
        if seed is not None:
            self.random = random.Random(seed)
            self.total = 0
        self.steps = 0
        self.sum = 0
        if self.fault == "reset":
            raise RuntimeError("cannot be reset")
        return self.observe(), {}

    def due(self):
        if self.total != self.at:
            return False
        if self.once is None:
            return True
        if not os.path.exists(self.once):
            return False
        os.remove(self.once)
        return True

    def step(self, action):
        assert isinstance(action, numpy.int64) and 5 <= action <= 7, action
        self.total += 1
        self.steps += 1
        self.sum += int(action)
        reward = self.random.random() + int(action == 5)
        terminated = self.random.random() < 1 / self.ends
        truncated = self.steps >= 9
        observation = self.observe()
        if self.fault and self.due():
            print("about to fail:", self.fault)
            if self.fault == "exit":
                os._exit(3)
            if self.fault == "abort":
                os.abort()
            if self.fault == "raise":
                raise ValueError("step went wrong")
            if self.fault == "hang":
                time.sleep(1000)
            if self.fault == "nan":
                reward = float("nan")
            if self.fault == "infinite":
                observation[1] = float("inf")
            if self.fault == "shape":
                observation = observation[:1]
            if self.fault == "integers":
                observation = observation.astype("complex128")
            if self.fault == "nothing":
                return None
            if self.fault == "word":
                terminated = "False"
            if self.fault == "old":
                return observation, reward, terminated, {}
            if self.fault == "reward":
                reward = None
            if self.fault == "text":
                reward = "1"
            if self.fault == "flag":
                terminated = numpy.zeros(2)
            if self.fault == "sys.exit":
                sys.exit("no more")
            if self.fault == "lines":
                raise ValueError("two\nlines")
            if self.fault == "close":
                os.close(4)
                time.sleep(1000)
            if self.fault == "lock":
                hold_the_lock_with_a_child(self.pid_file)
            if self.fault == "chance":
                observation[0] = numpy.random.random()
        return observation, reward, terminated, truncated, {}

    def close(self):
        print("closed")


def hold_the_lock_with_a_child(pid_file):
    """What ends neither by a thread of Python nor with this process alone."""
    if os.fork() == 0:
        with open(pid_file, "a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(1000)
        os._exit(0)
    ctypes.PyDLL(None).sleep(1000)


class Raises:
    def __init__(self):
        raise ValueError("no\nlevel \udc80")


class Unrepeatable(Walk):
    """Shows a number that nobody seeded."""

    def observe(self):
        observation = super().observe()
        observation[3] = random.SystemRandom().random()
        return observation


class SharedChance(Walk):
    """Draws from the module's generator, which all environments of a process share."""

    def reset(self, seed=None, options=None):
        if seed is not None:
            random.seed(seed)
        return super().reset(seed=seed)

    def observe(self):
        observation = super().observe()
        observation[3] = random.random()
        return observation


class Screen:
    """A large picture that its environment draws itself."""

    observation_space = Box((210, 160, 3), "uint8")
    action_space = Discrete(2)

    def __init__(self, render_mode=None):
        self.render_mode = render_mode
        self.picture = numpy.zeros((210, 160, 3), numpy.uint8)

    def reset(self, seed=None, options=None):
        self.picture[:] = 100
        return self.picture, {}

    def step(self, action):
        self.picture[:] += numpy.uint8(1)  # the array that was given before
        done = self.picture[0, 0, 0] == 103
        return self.picture, 1, done, done, {}

    def render(self):
        return self.picture if self.render_mode == "rgb_array" else None

    def get_action_meanings(self):
        return ["STAY", "GO"]


class DictObservations(Walk):
    observation_space = Dict()


class OldReset(Walk):
    def reset(self, seed=None, options=None):
        return super().reset(seed)[0]


class Flatten:
    """A wrapper."""

    def __init__(self, env):
        self.env = env
        self.action_space = env.action_space
        self.observation_space = Box((2,), "float64")

    def reset(self, **options):
        observation, info = self.env.reset(**options)
        return observation[:2].astype("float64"), info

    def step(self, action):
        observation, *rest = self.env.step(action)
        return (observation[:2].astype("float64"), *rest)


def make_walk(ends=3):
    return Walk(ends=ends)


not_callable = 3

if "GORILA_TEST_IMPORT_FAILS" in os.environ:
    sys.exit("this module ends its interpreter")
