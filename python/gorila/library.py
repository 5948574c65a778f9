"""libgorila.so.1 (gorila.h), found and loaded when something first needs it."""

import ctypes
import os
import pathlib
import sysconfig
import threading
from ctypes import POINTER, c_char_p, c_double, c_float, c_int32, c_int64, c_size_t, c_uint32
from ctypes import c_uint64, c_void_p

from gorila.errors import Error, InvalidArgument, NotFound

API_VERSION = 1
FILE = "libgorila.so.1"
UINT8 = 0
ACTS = {None: 0, "sample": 1, "argmax": 2}  # GORILA_ACT_...
NO_AUTORESET = 1

_ERRORS = {1: InvalidArgument, 2: NotFound}
Asked = ctypes.CFUNCTYPE(c_int32, c_void_p)


class Spec(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("element", c_int32),
        ("stack", c_int32),
        ("channels", c_int32),
        ("height", c_int32),
        ("width", c_int32),
        ("scale", c_float),
        ("num_actions", c_int32),
        ("observation_bytes", c_uint64),
    ]


class Tensor(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("rank", c_int32),
        ("name", c_char_p),
        ("shape", POINTER(c_int32)),
        ("values", POINTER(c_float)),
        ("size", c_uint64),
    ]


# Results (c_int32: an error code) and arguments. Arrays are addresses.
_FUNCTIONS = {
    "gorila_network_load": (
        c_int32,
        [c_char_p, c_char_p, POINTER(c_char_p), c_size_t, POINTER(c_void_p)],
    ),
    "gorila_network_free": (None, [c_void_p]),
    "gorila_network_spec": (c_int32, [c_void_p, POINTER(Spec)]),
    "gorila_network_environment": (c_char_p, [c_void_p]),
    "gorila_network_algorithm": (c_char_p, [c_void_p]),
    "gorila_network_file": (c_char_p, [c_void_p]),
    "gorila_network_warnings": (c_char_p, [c_void_p]),
    "gorila_network_config": (c_char_p, [c_void_p]),
    "gorila_network_num_games": (c_int32, [c_void_p]),
    "gorila_network_game": (c_char_p, [c_void_p, c_int32]),
    "gorila_network_choose_game": (c_int32, [c_void_p, c_char_p]),
    "gorila_network_action_name": (c_char_p, [c_void_p, c_int32]),
    "gorila_network_q_values": (c_int32, [c_void_p, c_void_p, c_size_t, c_int32, c_void_p]),
    "gorila_network_is_policy": (c_int32, [c_void_p]),
    "gorila_network_configured_act": (c_int32, [c_void_p]),
    "gorila_network_probabilities": (
        c_int32,
        [c_void_p, c_void_p, c_size_t, c_int32, c_void_p, c_void_p],
    ),
    "gorila_network_act_by": (
        c_int32,
        [c_void_p, c_int32, c_void_p, c_size_t, c_int32, c_double, c_uint64, c_void_p],
    ),
    "gorila_network_act": (
        c_int32,
        [c_void_p, c_void_p, c_size_t, c_int32, c_double, c_uint64, c_void_p],
    ),
    "gorila_network_num_tensors": (c_int32, [c_void_p]),
    "gorila_network_tensor": (c_int32, [c_void_p, c_int32, POINTER(Tensor)]),
    "gorila_network_evaluation_seed": (c_uint64, [c_void_p]),
    "gorila_network_evaluate": (
        c_int32,
        [c_void_p, c_char_p, c_int32, c_uint64, c_double, Asked, c_void_p, c_void_p, c_void_p],
    ),
    "gorila_environment_name": (c_char_p, [c_size_t]),
    "gorila_environments_make": (
        c_int32,
        [c_char_p, POINTER(c_char_p), c_size_t, c_int32, c_uint64, c_uint32, POINTER(c_void_p)],
    ),
    "gorila_environments_of_network": (
        c_int32,
        [c_void_p, POINTER(c_char_p), c_size_t, c_int32, c_uint64, c_uint32, POINTER(c_void_p)],
    ),
    "gorila_environments_free": (None, [c_void_p]),
    "gorila_environments_spec": (c_int32, [c_void_p, POINTER(Spec)]),
    "gorila_environments_action_name": (c_char_p, [c_void_p, c_int32]),
    "gorila_environments_reset": (c_int32, [c_void_p] * 4),
    "gorila_environments_step": (c_int32, [c_void_p] * 7),
    "gorila_environments_render": (
        c_int32,
        [c_void_p, c_int32, c_void_p, c_size_t, POINTER(c_int32), POINTER(c_int32)],
    ),
    "gorila_environments_save": (
        c_int32,
        [c_void_p, c_int32, c_void_p, c_size_t, POINTER(c_size_t)],
    ),
    "gorila_environments_restore": (c_int32, [c_void_p, c_int32, c_char_p, c_size_t, c_void_p]),
}

_lock = threading.Lock()
_loaded = None


def library():
    """The library. Error, saying where it was looked for, when there is none that fits."""
    global _loaded
    if _loaded is None:
        with _lock:
            _loaded = _loaded or _load()
    return _loaded


def check(code):
    """Raises what a function's code says."""
    if code != 0:
        message = text(library().gorila_last_error())
        raise _ERRORS.get(code, Error)(message)


def text(value):
    return None if value is None else value.decode(errors="replace")


def texts(values):
    """An array of C strings."""
    encoded = [value.encode() for value in values]
    return (c_char_p * max(len(encoded), 1))(*encoded), len(encoded)


def _candidates():
    """What to load, the first that is there."""
    named = os.environ.get("GORILA_LIBRARY")
    if named:
        return [pathlib.Path(named)]
    package = pathlib.Path(__file__).resolve().parent
    candidates = [package / FILE]  # a wheel's
    if package.parent.name == "dist-packages":  # PREFIX/lib/python3/dist-packages/gorila
        lib = package.parents[2]
        multiarch = sysconfig.get_config_var("MULTIARCH")
        candidates += [lib / FILE] + ([lib / multiarch / FILE] if multiarch else [])
    return candidates


def _load():
    tried = []
    for path in _candidates():
        if path.exists() or "GORILA_LIBRARY" in os.environ:
            return _open(str(path))
        tried.append(str(path))
    try:
        ctypes.CDLL(FILE)
    except OSError:
        raise Error(
            f"{FILE} was not found; tried {', '.join(tried)} and the loader's path; install Gorila "
            "(cmake --install build/release), or name the file in GORILA_LIBRARY"
        ) from None
    return _open(FILE)


def _open(path):
    try:
        loaded = ctypes.CDLL(path)
    except OSError as error:
        raise Error(f"'{path}' cannot be loaded: {error}") from None
    try:
        version = loaded.gorila_api_version
    except AttributeError:
        raise Error(f"'{path}' is not Gorila's library: it has no gorila_api_version") from None
    version.restype = c_uint32
    if version() != API_VERSION:
        raise Error(
            f"'{path}' has version {version()} of the C interface, this package needs version "
            f"{API_VERSION}; install both from one release"
        )
    for name in ("gorila_version", "gorila_last_error"):
        getattr(loaded, name).restype = c_char_p
    for name, (result, arguments) in _FUNCTIONS.items():
        try:
            function = getattr(loaded, name)
        except AttributeError:
            raise Error(
                f"'{path}' is of an earlier release ({text(loaded.gorila_version())}): it has no "
                f"{name}; install both from one release"
            ) from None
        function.restype, function.argtypes = result, arguments
    return loaded
