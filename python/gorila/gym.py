"""Gymnasium, where it is installed; else classes that look like those of it that are needed here."""

import enum

import numpy

from gorila.errors import InvalidArgument

try:
    import gymnasium
    import gymnasium.vector
    from gymnasium.spaces import Box, Discrete, MultiDiscrete
    from gymnasium.vector.utils import batch_space

    Env, VectorEnv = gymnasium.Env, gymnasium.vector.VectorEnv
    MAJOR = int(gymnasium.__version__.split(".")[0])
except ImportError:
    gymnasium, MAJOR = None, 1


class _AutoresetMode(enum.Enum):
    NEXT_STEP = "NextStep"
    SAME_STEP = "SameStep"
    DISABLED = "Disabled"


AutoresetMode = getattr(getattr(gymnasium, "vector", None), "AutoresetMode", _AutoresetMode)
MODES = tuple(mode.value for mode in _AutoresetMode)


def mode_text(mode):
    """"SameStep" of itself or of an enumeration's member."""
    text = getattr(mode, "value", mode)
    if text not in MODES:
        raise InvalidArgument(f"autoreset_mode is {mode!r}; expected one of {', '.join(MODES)}")
    return text


def is_vector(env):
    if gymnasium is not None and isinstance(env, VectorEnv):
        return True
    if gymnasium is not None and isinstance(env, Env):
        return False  # old wrappers warn when they are asked for what they have not
    return getattr(env, "num_envs", None) is not None


def autoreset_of(env, given=None):
    """The mode of a vector: as given, as its metadata say, or what its version of Gymnasium does."""
    if given is not None:
        return mode_text(given)
    said = (getattr(env, "metadata", None) or {}).get("autoreset_mode")
    if said is not None:
        return mode_text(said)
    if gymnasium is not None and isinstance(env, VectorEnv):
        return "NextStep" if MAJOR >= 1 else "SameStep"
    raise InvalidArgument(
        f"{type(env).__name__} does not say when it resets (metadata['autoreset_mode']); give "
        f"autoreset_mode, one of {', '.join(MODES)}"
    )


if gymnasium is None:

    class _Space:
        def __init__(self, shape, dtype):
            self.shape, self.dtype = tuple(shape), numpy.dtype(dtype)
            self._random = numpy.random.default_rng()

        def seed(self, seed=None):
            self._random = numpy.random.default_rng(seed)
            return seed

        def __contains__(self, value):
            return self.contains(value)

    class Discrete(_Space):
        """0 .. n-1."""

        def __init__(self, n):
            super().__init__((), numpy.int64)
            self.n, self.start = int(n), 0

        def sample(self):
            return self._random.integers(self.n)

        def contains(self, value):
            whole = isinstance(value, (int, numpy.integer)) and not isinstance(value, bool)
            return whole and 0 <= value < self.n

        def __eq__(self, other):
            return isinstance(other, Discrete) and self.n == other.n

        def __repr__(self):
            return f"Discrete({self.n})"

    class MultiDiscrete(_Space):
        """0 .. nvec[i]-1 each."""

        def __init__(self, nvec):
            self.nvec = numpy.asarray(nvec, numpy.int64)
            super().__init__(self.nvec.shape, numpy.int64)

        def sample(self):
            return self._random.integers(self.nvec)

        def contains(self, value):
            array = numpy.asarray(value)
            whole = array.dtype.kind in "iu" and array.shape == self.shape
            return bool(whole and (array >= 0).all() and (array < self.nvec).all())

        def __repr__(self):
            return f"MultiDiscrete({self.nvec.tolist()})"

    class Box(_Space):
        """Arrays of a shape, each element from low to high."""

        def __init__(self, low, high, shape, dtype):
            super().__init__(shape, dtype)
            self.low = numpy.full(shape, low, dtype)
            self.high = numpy.full(shape, high, dtype)

        def sample(self):
            if self.dtype.kind == "u":
                return self._random.integers(self.low, self.high, dtype=self.dtype, endpoint=True)
            return self._random.standard_normal(self.shape).astype(self.dtype)

        def contains(self, value):
            array = numpy.asarray(value)
            fits = array.dtype == self.dtype and array.shape == self.shape
            return bool(fits and (array >= self.low).all() and (array <= self.high).all())

        def __repr__(self):
            return f"Box({self.low.min()}, {self.high.max()}, {self.shape}, {self.dtype})"

    class _Base:
        spec = None
        render_mode = None
        metadata = {}
        _np_random = None

        @property
        def np_random(self):
            if self._np_random is None:
                self._np_random = numpy.random.default_rng()
            return self._np_random

        @np_random.setter
        def np_random(self, value):
            self._np_random = value

        @property
        def unwrapped(self):
            return self

        def reset(self, *, seed=None, options=None):
            del options
            if seed is not None:
                if not isinstance(seed, int) or seed < 0:
                    raise InvalidArgument(f"seed is {seed!r}; expected an integer of 0 or more")
                self._np_random = numpy.random.default_rng(seed)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.close()

    class Env(_Base):
        pass

    class VectorEnv(_Base):
        closed = False

    def batch_space(space, n):
        if isinstance(space, Discrete):
            return MultiDiscrete([space.n] * n)
        low, high = space.low.min(), space.high.max()
        return Box(low, high, (n, *space.shape), space.dtype)
