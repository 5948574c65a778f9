"""What observations and actions are."""

import dataclasses
import json

import numpy

from gorila import library
from gorila.errors import InvalidArgument


@dataclasses.dataclass(frozen=True)
class Spec:
    """Of an environment, or of a network and the environment that it was trained in."""

    environment: str
    algorithm: "str | None"  # of a network
    shape: tuple  # of one observation: (stack * channels, height, width), or (stack * channels,)
    dtype: numpy.dtype  # uint8 or float32
    stack: int  # frames in it, oldest first
    channels: int  # of a frame
    height: int
    width: int
    scale: float  # the network multiplies observations by it
    action_names: tuple

    @property
    def num_actions(self):
        return len(self.action_names)


def make_spec(native, environment, algorithm, action_name):
    planes = native.stack * native.channels
    vector = native.height == 1 and native.width == 1
    return Spec(
        environment=environment,
        algorithm=algorithm,
        shape=(planes,) if vector else (planes, native.height, native.width),
        dtype=numpy.dtype(numpy.uint8 if native.element == library.UINT8 else numpy.float32),
        stack=native.stack,
        channels=native.channels,
        height=native.height,
        width=native.width,
        scale=native.scale,
        action_names=tuple(library.text(action_name(i)) for i in range(native.num_actions)),
    )


def check_observations(spec, observations):
    """As an array of the network's own layout, and whether it is a batch. InvalidArgument says what
    was expected: shapes are not guessed."""
    array = numpy.asarray(observations)
    batched = array.ndim == len(spec.shape) + 1
    if array.shape[1 if batched else 0 :] != spec.shape:
        raise InvalidArgument(_shape_text(spec, array.shape))
    if array.dtype != spec.dtype:
        raise InvalidArgument(
            f"observations are {array.dtype}; those of {spec.environment} are {spec.dtype} "
            f"(observations.astype(numpy.{spec.dtype}), if they have the same values)"
        )
    return numpy.ascontiguousarray(array), batched


def _shape_text(spec, shape):
    sides = ", ".join(map(str, spec.shape))
    text = (
        f"observations have the shape {tuple(shape)}; those of {spec.environment} have "
        f"({sides}{',' if len(spec.shape) == 1 else ''}), or (N, {sides}) for several"
    )
    if len(spec.shape) == 3:
        text += ": channels first"
        if shape[-3:] == spec.shape[1:] + spec.shape[:1]:
            text += "; yours are channels last (numpy.moveaxis(observations, -1, -3))"
    if spec.stack > 1:
        text += f"; they are {spec.stack} frames of {spec.channels} channel(s), oldest first"
    return text


def setting_texts(settings):
    """"key=value" of each item, as --set takes it."""
    return [f"{key}={_value_text(value)}" for key, value in (settings or {}).items()]


def _value_text(value):
    if isinstance(value, (bool, numpy.bool_)):
        return "true" if value else "false"
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return ",".join(value)  # wrappers=[...]
    return str(value)


def seed_of(seed):
    """As the library takes it."""
    if isinstance(seed, (int, numpy.integer)) and 0 <= seed < 2**64:
        return int(seed)
    raise InvalidArgument(f"seed is {seed!r}; expected a whole number from 0 to 2^64 - 1")
