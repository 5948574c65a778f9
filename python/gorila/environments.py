"""Our games as environments of Gymnasium's interface, one or many at a time."""

import ctypes
import operator
import os
import weakref

import numpy

from gorila import gym, library
from gorila.errors import InvalidArgument
from gorila.spec import make_spec, seed_of, setting_texts

# The games that are built in: what can be registered before the library is loaded.
NAMES = (
    "minatar/asterix", "minatar/breakout", "minatar/freeway", "minatar/seaquest",
    "minatar/space_invaders",
    "pixel/asterix", "pixel/breakout", "pixel/freeway", "pixel/seaquest", "pixel/space_invaders",
    "classic/cart_pole", "classic/cart_pole_fourier", "classic/catch",
)  # fmt: skip


def make(name, *, render_mode=None, **options):
    """One environment. Options are those of the sections [environment] and [atari] of the
    configuration: make("minatar/breakout", sticky_actions=0.0)."""
    return Environment(name, render_mode=render_mode, **options)


def make_vec(name, num_envs, *, render_mode=None, autoreset_mode="SameStep", **options):
    """`num_envs` environments that are stepped by one call into the library."""
    return VectorEnvironment(
        name, num_envs, render_mode=render_mode, autoreset_mode=autoreset_mode, **options
    )


def make_one_for_gymnasium(name, render_mode=None, **options):
    """Gymnasium's entry point."""
    return Environment(name, render_mode=render_mode, **options)


make_one_for_gymnasium.metadata = {"render_modes": ["rgb_array"], "render_fps": 15}


def register():
    """Gives Gymnasium our names: gymnasium.make("gorila:minatar/breakout"). Again is harmless."""
    registered = gym.gymnasium.envs.registration.registry
    for name in NAMES:
        if name in registered:
            continue
        gym.gymnasium.register(
            id=name,
            entry_point=make_one_for_gymnasium,
            vector_entry_point=VectorEnvironment,
            kwargs={"name": name},
        )


class _Games:
    """A handle of the library with the arrays that it writes to."""

    def __init__(self, source, count, autoreset, options):
        native = library.library()
        self.handle = ctypes.c_void_p()
        seed = int.from_bytes(os.urandom(8), "little")
        flags = 0 if autoreset else library.NO_AUTORESET
        texts = library.texts(setting_texts(options))
        if isinstance(source, str):
            code = native.gorila_environments_make(
                source.encode(), *texts, count, seed, flags, ctypes.byref(self.handle)
            )
            self.name = source
        else:  # a Network
            code = native.gorila_environments_of_network(
                source._handle, *texts, count, seed, flags, ctypes.byref(self.handle)
            )
            self.name = source.spec.environment
        library.check(code)
        self.close = weakref.finalize(self, native.gorila_environments_free, self.handle)
        spec = library.Spec(struct_size=ctypes.sizeof(library.Spec))
        library.check(native.gorila_environments_spec(self.handle, ctypes.byref(spec)))
        self.spec = make_spec(
            spec, self.name, None, lambda i: native.gorila_environments_action_name(self.handle, i)
        )
        self.count = count
        self.actions = numpy.zeros(count, numpy.int64)
        self.observations = numpy.zeros((count, *self.spec.shape), self.spec.dtype)
        self.final = numpy.zeros_like(self.observations)
        self.rewards = numpy.zeros(count, numpy.float64)
        self.terminated = numpy.zeros(count, numpy.bool_)
        self.truncated = numpy.zeros(count, numpy.bool_)
        arrays = (
            self.actions, self.observations, self.rewards, self.terminated, self.truncated,
            self.final,
        )  # fmt: skip
        # As ctypes passes them on without looking at them again.
        self._arguments = (self.handle, *(ctypes.c_void_p(a.ctypes.data) for a in arrays))
        self._native, self._step = native, native.gorila_environments_step

    def step(self):
        self._check_open()
        code = self._step(*self._arguments)
        if code != 0:
            library.check(code)

    def reset(self, seeds=None, mask=None):
        self._check_open()
        seeds = None if seeds is None else numpy.array(seeds, numpy.uint64)
        mask = None if mask is None else numpy.array(mask, numpy.uint8)
        library.check(
            self._native.gorila_environments_reset(
                self.handle,
                None if seeds is None else seeds.ctypes.data,
                None if mask is None else mask.ctypes.data,
                self.observations.ctypes.data,
            )
        )

    def render(self, index):
        self._check_open()
        height, width = ctypes.c_int32(), ctypes.c_int32()
        sizes = ctypes.byref(height), ctypes.byref(width)
        draw = self._native.gorila_environments_render
        library.check(draw(self.handle, index, None, 0, *sizes))
        pixels = numpy.empty((height.value, width.value, 3), numpy.uint8)
        library.check(draw(self.handle, index, pixels.ctypes.data, pixels.nbytes, *sizes))
        return pixels

    def save(self, index):
        self._check_open()
        size = ctypes.c_size_t()
        save = self._native.gorila_environments_save
        library.check(save(self.handle, index, None, 0, ctypes.byref(size)))
        state = ctypes.create_string_buffer(size.value)
        library.check(save(self.handle, index, state, size.value, ctypes.byref(size)))
        return state.raw

    def restore(self, index, state):
        self._check_open()
        row = self.observations[index : index + 1]
        library.check(
            self._native.gorila_environments_restore(
                self.handle, index, state, len(state), row.ctypes.data
            )
        )

    def observation_space(self):
        bytes_ = self.spec.dtype == numpy.uint8
        low, high = (0, 255) if bytes_ else (-numpy.inf, numpy.inf)
        return gym.Box(low, high, self.spec.shape, self.spec.dtype.type)

    def _check_open(self):
        if not self.close.alive:
            raise InvalidArgument(f"the environment {self.name} is closed")


def _check_render_mode(render_mode):
    if render_mode not in (None, "rgb_array"):
        raise InvalidArgument(f"render_mode is {render_mode!r}; expected 'rgb_array' or None")
    return render_mode


class Environment(gym.Env):
    """One game. The randomness of reset(seed=...) and what follows is the seed's alone. After the
    first reset it continues over resets without a seed."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 15}

    def __init__(self, name, render_mode=None, **options):
        self.render_mode = _check_render_mode(render_mode)
        self._games = _Games(name, 1, False, options)
        self.gorila_spec = self._games.spec
        self.observation_space = self._games.observation_space()
        self.action_space = gym.Discrete(self.gorila_spec.num_actions)
        self._seeded = False

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        if seed is None and not self._seeded:
            seed = int(self.np_random.integers(2**63))
        self._games.reset(None if seed is None else [seed_of(seed)])
        self._seeded = True
        return self._games.observations[0].copy(), {}

    def step(self, action):
        games = self._games
        try:
            games.actions[0] = operator.index(action)
        except TypeError:
            raise InvalidArgument(
                f"the action is {action!r}; expected a whole number from 0 to "
                f"{self.gorila_spec.num_actions - 1}"
            ) from None
        games.step()
        return (
            games.observations[0].copy(), float(games.rewards[0]), bool(games.terminated[0]),
            bool(games.truncated[0]), {},
        )  # fmt: skip

    def render(self):
        return None if self.render_mode is None else self._games.render(0)

    def save_state(self):
        """Everything that decides what follows, as bytes."""
        return self._games.save(0)

    def restore_state(self, state):
        """Continues from there; gives the observation of that state."""
        self._games.restore(0, state)
        self._seeded = True
        return self._games.observations[0].copy()

    def close(self):
        self._games.close()


class VectorEnvironment(gym.VectorEnv):
    """Many games of one kind, stepped by one call. An episode's end starts the next one in the same
    step (SameStep): info["final_obs"] has its last observation; or (Disabled) waits for
    reset(options={"reset_mask": ...}).

    reset(seed=...): a list has each environment's seed, which Environment.reset would play the same
    way; of a number every environment gets a seed of its own.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 15}
    closed = False

    def __init__(self, name, num_envs, render_mode=None, autoreset_mode="SameStep", **options):
        self.render_mode = _check_render_mode(render_mode)
        mode = gym.mode_text(autoreset_mode)
        if mode == "NextStep":
            raise InvalidArgument("autoreset_mode is NextStep; expected SameStep or Disabled")
        self.metadata = {**self.metadata, "autoreset_mode": gym.AutoresetMode(mode)}
        self.num_envs = operator.index(num_envs)
        self._games = _Games(name, self.num_envs, mode == "SameStep", options)
        self.gorila_spec = self._games.spec
        self.single_observation_space = self._games.observation_space()
        self.observation_space = gym.batch_space(self.single_observation_space, self.num_envs)
        self.single_action_space = gym.Discrete(self.gorila_spec.num_actions)
        self.action_space = gym.batch_space(self.single_action_space, self.num_envs)
        self._same_step = mode == "SameStep"
        self._seeded = False

    def reset(self, *, seed=None, options=None):
        mask = self._mask(options)
        if seed is None and not self._seeded:
            seed = int.from_bytes(os.urandom(8), "little")
        if seed is None:
            self._games.reset(None, mask)
        elif numpy.ndim(seed) == 0:
            sequence = numpy.random.SeedSequence(seed_of(seed))
            self._games.reset(sequence.generate_state(self.num_envs, numpy.uint64), mask)
        else:
            self._reset_listed(list(seed), mask)
        self._seeded = True
        return self._games.observations.copy(), {}

    def _reset_listed(self, seeds, mask):
        if len(seeds) != self.num_envs:
            raise InvalidArgument(f"{len(seeds)} seeds; expected {self.num_envs}")
        mask = numpy.ones(self.num_envs, bool) if mask is None else mask
        given = numpy.array([seed is not None for seed in seeds])
        self._games.reset(
            [0 if seed is None else seed_of(seed) for seed in seeds], mask & given
        )
        self._games.reset(None, mask & ~given)

    def _mask(self, options):
        mask = (options or {}).get("reset_mask")
        if mask is None:
            return None
        mask = numpy.asarray(mask)
        if mask.shape != (self.num_envs,) or mask.dtype != numpy.bool_:
            raise InvalidArgument(
                f"reset_mask is {mask.dtype} of the shape {mask.shape}; expected bool of "
                f"({self.num_envs},)"
            )
        return mask

    def step(self, actions):
        games = self._games
        actions = numpy.asarray(actions)
        if actions.shape != games.actions.shape or actions.dtype.kind not in "iu":
            raise InvalidArgument(
                f"the actions are {actions.dtype} of the shape {actions.shape}; expected integers "
                f"of ({self.num_envs},)"
            )
        games.actions[:] = actions
        games.step()
        done = games.terminated | games.truncated
        ended = done.nonzero()[0]
        infos = self._final_infos(done, ended) if self._same_step and len(ended) else {}
        return (
            games.observations.copy(), games.rewards.copy(), games.terminated.copy(),
            games.truncated.copy(), infos,
        )  # fmt: skip

    def _final_infos(self, done, ended):
        """As Gymnasium's own vectors have them."""
        finals = numpy.empty(self.num_envs, object)  # None each
        for i, final in zip(ended.tolist(), self._games.final[ended]):
            finals[i] = final
        if gym.MAJOR < 1:
            return {"final_observation": finals, "_final_observation": done}
        return {"final_obs": finals, "_final_obs": done, "final_info": {}, "_final_info": done}

    def render(self):
        """A picture of each."""
        if self.render_mode is None:
            return None
        return tuple(self._games.render(i) for i in range(self.num_envs))

    def save_state(self):
        """Of each environment, as bytes."""
        return [self._games.save(i) for i in range(self.num_envs)]

    def restore_state(self, states):
        """Continues from there; gives the observations of those states."""
        if len(states) != self.num_envs:
            raise InvalidArgument(f"{len(states)} states; expected {self.num_envs}")
        for i, state in enumerate(states):
            self._games.restore(i, state)
        self._seeded = True
        return self._games.observations.copy()

    def close(self, **_):
        self._games.close()
        self.closed = True
