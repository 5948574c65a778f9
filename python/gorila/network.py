"""A trained network, as it plays."""

import ctypes
import os
import threading
import warnings
import weakref

import numpy

from gorila import environments, library
from gorila.errors import InvalidArgument
from gorila.evaluation import Evaluation
from gorila.spec import check_observations, make_spec, seed_of, setting_texts


def load(path, *, game=None, config=None, settings=None):
    """The network that `gorila evaluate PATH` would score: of a run's folder (its newest), of a
    checkpoint's folder or of a .safetensors file.

    game: which of the games it plays, where it was trained on several: "minatar/breakout", or the
    end of it. Without one it has tensors and a configuration, but computes and plays nothing.
    config: a TOML file with its configuration, instead of that of the run around it.
    settings: {"section.key": value} on top, as --set.
    """
    return Network(path, game=game, config=config, settings=settings)


class Network:
    """Methods may be called by several threads, one after another."""

    def __init__(self, path, *, game=None, config=None, settings=None):
        native = library.library()
        handle = ctypes.c_void_p()
        library.check(
            native.gorila_network_load(
                os.fsencode(path),
                None if config is None else os.fsencode(config),
                *library.texts(setting_texts(settings)),
                ctypes.byref(handle),
            )
        )
        self._native, self._handle = native, handle
        self._free = weakref.finalize(self, native.gorila_network_free, handle)
        self._lock = threading.Lock()
        self.games = [
            library.text(native.gorila_network_game(handle, index))
            for index in range(native.gorila_network_num_games(handle))
        ]
        if game is not None:
            library.check(native.gorila_network_choose_game(handle, game.encode()))
        self._random = numpy.random.default_rng()
        spec = library.Spec(struct_size=ctypes.sizeof(library.Spec))
        library.check(native.gorila_network_spec(handle, ctypes.byref(spec)))
        self.spec = make_spec(
            spec,
            library.text(native.gorila_network_environment(handle)),
            library.text(native.gorila_network_algorithm(handle)),
            lambda action: native.gorila_network_action_name(handle, action),
        )
        self.path = library.text(native.gorila_network_file(handle))
        self.epsilon = 0.05  # of predict(deterministic=False), unless it is a policy
        self.is_policy = bool(native.gorila_network_is_policy(handle))
        for warning in library.text(native.gorila_network_warnings(handle)).splitlines():
            warnings.warn(f"{warning}; using {self.path}", stacklevel=3)

    @property
    def configured_act(self):
        """How act() chooses: "sample" for a policy, unless its evaluation.act is "argmax"."""
        how = self._native.gorila_network_configured_act(self._handle)
        return next(name for name, number in library.ACTS.items() if number == how)

    def __repr__(self):
        return f"<gorila.Network {self.path}: {self.spec.algorithm} on {self.spec.environment}>"

    def q_values(self, observations):
        """float32 (actions,) of one observation, (N, actions) of N. A policy has none."""
        if self.is_policy:
            raise InvalidArgument(
                f"networks of algorithm {self.spec.algorithm} are policies and have no Q-values; "
                "expected probabilities() or values()"
            )
        array, batched = check_observations(self.spec, observations)
        batch = len(array) if batched else 1
        q = numpy.empty((batch, self.spec.num_actions), numpy.float32)
        with self._lock:
            library.check(
                self._native.gorila_network_q_values(
                    self._handle, array.ctypes.data, array.nbytes, batch, q.ctypes.data
                )
            )
        return q if batched else q[0]

    def probabilities(self, observations):
        """Of a policy (is_policy) the probability of each action: float32 (actions,) of one
        observation, (N, actions) of N."""
        return self._ask_policy(observations)[0]

    def values(self, observations):
        """Of a policy the value of each state: float32, a number of one observation, (N,) of N."""
        return self._ask_policy(observations)[1]

    def _ask_policy(self, observations):
        if not self.is_policy:
            raise InvalidArgument(
                f"networks of algorithm {self.spec.algorithm} give values of actions, not "
                "probabilities; expected q_values()"
            )
        array, batched = check_observations(self.spec, observations)
        batch = len(array) if batched else 1
        probabilities = numpy.empty((batch, self.spec.num_actions), numpy.float32)
        values = numpy.empty(batch, numpy.float32)
        with self._lock:
            library.check(
                self._native.gorila_network_probabilities(
                    self._handle, array.ctypes.data, array.nbytes, batch,
                    probabilities.ctypes.data, values.ctypes.data,
                )
            )  # fmt: skip
        return (probabilities, values) if batched else (probabilities[0], values[0])

    def act(self, observations, epsilon=0.0, seed=None, how=None):
        """The action for each observation: the best or, of a policy, what evaluation.act of its
        configuration says, unless how is "sample" (drawn from its probabilities) or "argmax" (the
        most likely one). With probability epsilon a random one instead. Without a seed the draws are
        of set_random_seed()'s stream. int64: a number, or (N,)."""
        if how not in library.ACTS:
            raise InvalidArgument(f"how is {how!r}; expected 'sample', 'argmax' or None")
        array, batched = check_observations(self.spec, observations)
        batch = len(array) if batched else 1
        actions = numpy.empty(batch, numpy.int64)
        with self._lock:
            if seed is None:
                draws = epsilon > 0 or self.is_policy
                seed = int(self._random.integers(2**63)) if draws else 0
            library.check(
                self._native.gorila_network_act_by(
                    self._handle, library.ACTS[how], array.ctypes.data, array.nbytes, batch,
                    epsilon, seed_of(seed), actions.ctypes.data,
                )
            )  # fmt: skip
        return actions if batched else actions[0]

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        """(action, None), as Stable-Baselines3's predict(); `state` and `episode_start` are those of
        recurrent policies and play no part. Not deterministic: epsilon-greedy by self.epsilon; of a
        policy the one sampled and the other the most likely action, whatever evaluation.act is."""
        del state, episode_start
        if self.is_policy:
            return self.act(observation, how="argmax" if deterministic else "sample"), None
        return self.act(observation, 0.0 if deterministic else self.epsilon), None

    def set_random_seed(self, seed):
        """Of what act() and predict() draw."""
        with self._lock:
            self._random = numpy.random.default_rng(seed)

    def state_dict(self):
        """{name: float32 array}, named and shaped as PyTorch has them; copies."""
        arrays = {}
        for index in range(self._native.gorila_network_num_tensors(self._handle)):
            tensor = library.Tensor(struct_size=ctypes.sizeof(library.Tensor))
            library.check(
                self._native.gorila_network_tensor(self._handle, index, ctypes.byref(tensor))
            )
            values = numpy.ctypeslib.as_array(tensor.values, (tensor.size,))
            arrays[library.text(tensor.name)] = values.reshape(tensor.shape[: tensor.rank]).copy()
        return arrays

    def config_text(self):
        """The whole configuration, as TOML."""
        return library.text(self._native.gorila_network_config(self._handle))

    def evaluate(self, episodes=100, *, protocol=None, seed=None, epsilon=None):
        """Plays whole episodes of the run's own environment, as `gorila evaluate` does: the same
        seed, protocol and number give the same returns. By default the run's protocol, and the seed
        of its final evaluation. A policy acts as evaluation.act says; while that samples, the
        protocol's epsilon is not applied."""
        if not 1 <= episodes < 2**31:
            raise InvalidArgument(f"episodes is {episodes}; expected 1 or more")
        if seed is None:
            seed = self._native.gorila_network_evaluation_seed(self._handle)
        seed = seed_of(seed)
        returns = numpy.empty(episodes)
        steps = ctypes.c_int64()

        def play(asked):
            library.check(
                self._native.gorila_network_evaluate(
                    self._handle, None if protocol is None else protocol.encode(), episodes, seed,
                    -1.0 if epsilon is None else epsilon, asked, None, returns.ctypes.data,
                    ctypes.addressof(steps),
                )
            )  # fmt: skip

        with self._lock:
            _interruptible(play)
        return Evaluation(returns=returns.tolist(), steps=steps.value)

    def make(self, *, render_mode=None, **options):
        """The environment that it was trained in, with the run's options below these."""
        return environments.Environment(self, render_mode=render_mode, **options)

    def make_vec(self, num_envs, *, render_mode=None, autoreset_mode="SameStep", **options):
        """Several of them, as make_vec()."""
        return environments.VectorEnvironment(
            self, num_envs, render_mode=render_mode, autoreset_mode=autoreset_mode, **options
        )


def _interruptible(call):
    """Runs `call` in a thread of its own, and raises what it raises: meanwhile this thread handles
    signals, and after Ctrl-C the function that `call` is given says 1."""
    interrupted, done = threading.Event(), threading.Event()
    asked = library.Asked(lambda _: interrupted.is_set())
    errors = []

    def work():
        try:
            call(asked)
        except Exception as error:
            errors.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=work)
    try:
        thread.start()
    except BaseException:  # it may run already
        interrupted.set()
        raise
    interruption = None
    while not done.is_set():
        try:
            done.wait()  # join(), interrupted, takes a thread that runs for one that has ended
        except BaseException as error:
            interruption = error
            interrupted.set()
    thread.join()
    if interruption is not None:
        raise interruption
    if errors:
        raise errors[0]
