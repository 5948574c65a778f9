"""Hosts environments written in Python for gorila, which starts this file itself.

Needs Python 3.8 or later and numpy; Gymnasium only for names with gymnasium:. The other end is
src/gorila/env/worker/, whose worker_protocol.h describes the protocol: file 3 brings requests, 4
takes answers, 5 is memory that both map, and 6 closes when the parent is gone.
"""

import importlib
import json
import mmap
import os
import platform
import signal
import struct
import sys
import threading
import traceback

PROTOCOL = 1
MOST_ACTIONS = 65536
REQUESTS, ANSWERS, MEMORY, LIFELINE = 3, 4, 5, 6

STEP, RESET_SEEDED, RESET, REMAKE = 1, 2, 3, 4
TERMINATED, TRUNCATED, FAILED, BROKEN, RESETS = 1, 2, 4, 8, 16


class BrokenPromise(Exception):
    """What no retry mends: the environment is not what its spaces, or Gymnasium's rules, say."""


def end_with_parent():
    """Ends this process when the parent is gone, even in the middle of a step."""
    while True:
        try:
            if not os.read(LIFELINE, 1):
                os._exit(0)
        except OSError:
            os._exit(0)


def read_exactly(size):
    parts = []
    while size > 0:
        part = os.read(REQUESTS, size)
        if not part:
            sys.exit(0)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def write_all(data):
    view = memoryview(data)
    while view:
        view = view[os.write(ANSWERS, view):]


def read_json():
    if read_exactly(1) != b"J":
        sys.exit("gorila_worker: a request that is not JSON")
    (size,) = struct.unpack("<I", read_exactly(4))
    return json.loads(read_exactly(size))


def answer_json(kind, value):
    # Not as escapes: unpaired surrogates, as in the names of odd files, are not valid JSON.
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    write_all(kind + struct.pack("<I", len(text)) + text)


def summary(error):
    """In one line: what was raised, and where outside of Python's own importer and this file."""
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if isinstance(error, ModuleNotFoundError):
        text += (f"; install it for {sys.executable}, or set environment.python to an interpreter "
                 "that has it, or environment.python_path to its folder")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)
              if frame.filename != __file__ and not frame.filename.startswith("<frozen")]
    return f"{text} ({frames[-1].filename}, line {frames[-1].lineno})" if frames else text


def shown(value):
    return " ".join(repr(value).split())[:100]


def number_of(reward):
    try:
        if not isinstance(reward, (str, bytes)):
            return float(reward)
    except (TypeError, ValueError, OverflowError):
        pass
    raise BrokenPromise(f"a reward of {shown(reward)}; expected a number")


def flag_of(value, name):
    if isinstance(value, str):
        raise BrokenPromise(f"{name} is {shown(value)}; expected True or False")
    try:
        return bool(value)
    except (TypeError, ValueError):
        raise BrokenPromise(f"{name} is {shown(value)}; expected True or False") from None


def resolve(name, what):
    """The object called module:attribute."""
    module, _, attribute = name.partition(":")
    found = importlib.import_module(module)
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise BrokenPromise(f"{what} '{name}': module {module} has no '{part}'")
        found = getattr(found, part)
    return found


def accepts(function, keyword):
    import inspect

    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(p.name == keyword or p.kind is p.VAR_KEYWORD for p in parameters)


class Maker:
    """Makes the environment that the parent asked for."""

    def __init__(self, request):
        self.target = request["target"]
        self.kwargs = dict(request["kwargs"])
        self.gymnasium = None
        if request["kind"] == "gymnasium":
            self.gymnasium = importlib.import_module("gymnasium")
            self.factory = None
        else:
            self.factory = resolve(self.target, "environment")
            if not callable(self.factory):
                raise BrokenPromise(f"environment '{self.target}' is not callable")
        self.wrappers = [resolve(name, "wrapper") for name in request["wrappers"]]
        self.pictures = request["pictures"]

    def build(self, kwargs):
        if self.factory is not None:
            return self.factory(**kwargs)
        # Its checker and its order enforcer would only repeat what is checked here.
        return self.gymnasium.make(self.target, **{"disable_env_checker": True, **kwargs})

    def make(self):
        draws = self.pictures and "render_mode" not in self.kwargs
        if draws and (self.factory is None or accepts(self.factory, "render_mode")):
            try:
                env = self.build({**self.kwargs, "render_mode": "rgb_array"})
            except Exception:  # one that cannot draw itself is drawn from its observations
                env = self.build(self.kwargs)
        else:
            env = self.build(self.kwargs)
        for wrapper in self.wrappers:
            env = wrapper(env)
        for name in ("reset", "step", "observation_space", "action_space"):
            if not hasattr(env, name):
                raise BrokenPromise(f"{type(env).__name__} has no '{name}'; expected Gymnasium's Env")
        return env


def kind_of(space):
    return type(space).__name__


def describe_observations(space, numpy):
    """The shape and the type in which observations travel, and from which they are converted."""
    kind = kind_of(space)
    if kind in ("Dict", "Tuple", "Discrete", "MultiDiscrete", "OneOf", "Sequence", "Graph", "Text"):
        raise BrokenPromise(
            f"observations of a {kind} space; expected a Box: wrap the environment in "
            "gymnasium.wrappers:FlattenObservation (environment.wrappers)")
    shape, dtype = getattr(space, "shape", None), getattr(space, "dtype", None)
    if shape is None or dtype is None:
        raise BrokenPromise(f"observations of a {kind} space without shape and dtype; expected a Box")
    sides = [int(side) for side in shape]
    dtype = numpy.dtype(dtype)
    if dtype == numpy.uint8 or dtype == numpy.bool_:
        return sides, "uint8", str(dtype)
    if dtype.kind in "fiu":
        return sides, "float32", str(dtype)
    raise BrokenPromise(f"observations of dtype {dtype}; expected uint8, bool, floats or integers")


def describe_actions(space):
    kind = kind_of(space)
    number = getattr(space, "n", None)
    if kind in ("Box", "MultiDiscrete", "MultiBinary", "Dict", "Tuple") or number is None:
        raise BrokenPromise(
            f"actions of a {kind} space; expected Discrete: a wrapper must choose among finitely "
            "many (gymnasium.wrappers:TransformAction and a table)")
    if not 1 <= number <= MOST_ACTIONS:
        raise BrokenPromise(f"{number} actions; expected 1 to {MOST_ACTIONS}")
    return int(number), int(getattr(space, "start", 0))


def action_names(env, number):
    unwrapped = getattr(env, "unwrapped", env)
    meanings = getattr(unwrapped, "get_action_meanings", None)
    try:
        names = [str(name) for name in meanings()] if meanings is not None else []
    except Exception:  # only their names
        names = []
    return names if len(names) == number else [str(action) for action in range(number)]


class Seat:
    """One environment and its place in the memory."""

    def __init__(self, host, index):
        self.host = host
        self.index = index
        self.env = None
        self.observation = host.view("observation", index)
        self.first = host.view("first", index)
        self.shape = self.first.shape
        self.asarray = host.numpy.asarray
        self.taken = None  # the dtype that was last found convertible

    def made(self):
        if self.env is None:
            self.env = self.host.maker.make()
        return self.env

    def close(self):
        if self.env is not None:
            try:
                getattr(self.env, "close", lambda: None)()
            except Exception:
                traceback.print_exc()
            self.env = None

    def put(self, place, observation):
        array = self.asarray(observation)
        if array.shape != self.shape:
            raise BrokenPromise(
                f"an observation of shape {array.shape}; its space says {self.shape}")
        # Not copyto(casting=...), which takes ten times as long for a small observation.
        if array.dtype is not self.taken:
            # A wider unsigned number would lose its upper bits.
            wider = place.dtype.itemsize == 1 and array.dtype.itemsize > 1
            if wider or not self.host.numpy.can_cast(array.dtype, place.dtype, "same_kind"):
                raise BrokenPromise(
                    f"an observation of dtype {array.dtype}; its space says {self.host.dtype}")
            self.taken = array.dtype
        place[...] = array

    def reset(self, seed):
        env = self.made()
        result = env.reset(seed=seed) if seed is not None else env.reset()
        if not (isinstance(result, tuple) and len(result) == 2):
            raise BrokenPromise(
                "reset() gave None; expected (observation, info): is a return missing?"
                if result is None else
                "reset() did not give (observation, info); environments of the old Gym need "
                "gymnasium's or shimmy's compatibility wrapper")
        self.put(self.first, result[0])

    # What surrounds the environment's own step() here, and in Host.step, is what a step costs more
    # than in a loop of Python: about a microsecond.
    def step(self):
        host, index = self.host, self.index
        action = host.actions[index]
        if host.start:
            action = action + host.start
        env = self.env if self.env is not None else self.made()
        result = env.step(action)
        if not (isinstance(result, tuple) and len(result) == 5):
            given = f"{len(result)} values" if isinstance(result, tuple) else type(result).__name__
            raise BrokenPromise(
                "step() gave None; expected (observation, reward, terminated, truncated, info): is a "
                "return missing?"
                if result is None else
                f"step() gave {given}; expected (observation, reward, terminated, truncated, info): "
                "environments of the old Gym need gymnasium's or shimmy's compatibility wrapper")
        observation, reward, terminated, truncated, _ = result
        # Before a reset: an environment may write the next observation into the same array.
        self.put(self.observation, observation)
        host.rewards[index] = reward if type(reward) is float else number_of(reward)
        if terminated is False and truncated is False:  # what most steps give
            return 0
        flags = ((TERMINATED if flag_of(terminated, "terminated") else 0)
                 | (TRUNCATED if flag_of(truncated, "truncated") else 0))
        if not flags:
            return 0
        host.flags[index] = RESETS  # until it is done
        self.reset(host.seeds[index] if host.reseeds[index] else None)
        return flags

    def execute(self, command):
        if command == RESET_SEEDED:
            self.reset(self.host.seeds[self.index])
        elif command == RESET:
            self.reset(None)
        elif command == REMAKE:
            self.close()
        return 0


class Host:
    def __init__(self):
        import numpy

        self.numpy = numpy
        request = read_json()
        if request["protocol"] != PROTOCOL:
            raise BrokenPromise(
                f"this worker speaks protocol {PROTOCOL}, gorila {request['protocol']}; install the "
                "worker that came with gorila")
        self.maker = Maker(request)
        env = self.maker.make()
        self.shape, self.element, self.dtype = describe_observations(env.observation_space, numpy)
        number, self.start = describe_actions(env.action_space)
        versions = {"python": platform.python_version(), "numpy": numpy.__version__}
        if self.maker.gymnasium is not None:
            versions["gymnasium"] = getattr(self.maker.gymnasium, "__version__", "unknown")
        answer_json(b"J", {"shape": self.shape, "element": self.element, "dtype": self.dtype,
                           "actions": action_names(env, number), "repeats": True,
                           "versions": versions})
        layout = read_json()
        self.offsets, count = layout["offsets"], layout["seats"]
        self.memory = memoryview(mmap.mmap(MEMORY, layout["size"]))
        self.commands = self.scalars("command", count, "B")
        self.reseeds = self.scalars("reseed", count, "B")
        self.flags = self.scalars("flags", count, "B")
        # Elements are numpy.int64, which is what environments are used to.
        self.actions = numpy.frombuffer(self.memory, numpy.int64, count, self.offsets["action"])
        self.seeds = self.scalars("seed", count, "Q")
        self.rewards = self.scalars("reward", count, "d")
        self.stride = layout["stride"]
        self.seats = [Seat(self, i) for i in range(count)]
        self.seats[0].env = env
        answer_json(b"J", {"ready": True})

    def scalars(self, name, count, code):
        offset = self.offsets[name]
        return self.memory[offset:offset + count * struct.calcsize(code)].cast(code)

    def view(self, name, index):
        numpy = self.numpy
        dtype = numpy.dtype(self.element)
        count = int(numpy.prod(self.shape, dtype=numpy.int64))
        offset = self.offsets[name] + index * self.stride
        return numpy.frombuffer(self.memory, dtype, count, offset).reshape(self.shape)

    def step(self):
        errors = {}
        flags = self.flags
        commands = bytes(self.commands)
        self.commands[:] = bytes(len(commands))
        for seat, command in zip(self.seats, commands):
            try:
                if command == STEP:
                    flags[seat.index] = seat.step()
                elif command:
                    flags[seat.index] = seat.execute(command)
            except BrokenPromise as error:
                flags[seat.index] = BROKEN
                errors[seat.index] = str(error)
            except BaseException as error:  # also sys.exit: the other seats have nothing to do with it
                flags[seat.index] = FAILED
                errors[seat.index] = summary(error)
                traceback.print_exc()
        if errors:
            answer_json(b"F", {str(index): text for index, text in errors.items()})
        else:
            os.write(ANSWERS, b"S")

    def render(self):
        (index,) = struct.unpack("<I", read_exactly(4))
        try:
            picture = self.seats[index].made().render()
            if isinstance(picture, list):  # RecordVideo and its like
                picture = picture[-1] if picture else None
            if picture is None:
                raise BrokenPromise("render() gave nothing")
            array = self.numpy.ascontiguousarray(picture, dtype=self.numpy.uint8)
            if array.ndim != 3 or array.shape[2] != 3:
                raise BrokenPromise(f"render() gave an array of shape {array.shape}")
        except Exception as error:
            answer_json(b"E", {"error": f"{type(error).__name__}: {error}"})
            return
        height, width, _ = array.shape
        write_all(b"P" + struct.pack("<II", height, width))
        write_all(array.tobytes())

    def serve(self):
        while True:
            request = os.read(REQUESTS, 1)
            if request == b"S":
                self.step()
            elif request == b"R":
                self.render()
            elif request == b"":
                return
            else:
                sys.exit(f"gorila_worker: unknown request {request!r}")


def main():
    threading.Thread(target=end_with_parent, daemon=True).start()
    # What the environment's author would see: modules of the folder that gorila was started in.
    if sys.path and sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
        sys.path.pop(0)  # not there with PYTHONSAFEPATH
    # After PYTHONPATH, which begins with environment.python_path.
    before = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    sys.path.insert(len(before), os.getcwd())
    # Schedulers send stop signals to every process. This one ends with its parent, which needs it until then.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    try:
        host = Host()
    except BrokenPromise as error:
        answer_json(b"E", {"error": str(error)})
        sys.exit(1)
    except BaseException as error:
        traceback.print_exc()
        answer_json(b"E", {"error": summary(error)})
        sys.exit(1)
    host.serve()
    for seat in host.seats:
        seat.close()


if __name__ == "__main__":
    main()
