"""Builds the wheel: the package with libgorila.so.1 inside. A build backend (PEP 517) of the standard
library alone, so that it needs no package and no network:

    python3 -m pip wheel --no-deps python/      or: python3 python/build_wheel.py FOLDER

The library is build/release's, or the file that GORILA_LIBRARY names. It uses the libraries of the
distribution that it was built on, so the wheel is for machines with the same ones.
"""

import base64
import hashlib
import os
import pathlib
import platform
import re
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
FILE = "libgorila.so.1"
METADATA = """Metadata-Version: 2.1
Name: gorila
Version: {version}
Summary: Gorila's trained networks and games in Python
License: MIT
Requires-Python: >=3.9
Requires-Dist: numpy
"""
WHEEL = """Wheel-Version: 1.0
Generator: gorila
Root-Is-Purelib: false
Tag: {tag}
"""


def find_library():
    path = pathlib.Path(
        os.environ.get("GORILA_LIBRARY") or HERE.parent / "build" / "release" / "lib" / FILE
    )
    if not path.is_file():
        sys.exit(
            f"gorila: '{path}': no such file; build it (cmake --build build/release --target "
            "gorila_shared), or name one in GORILA_LIBRARY"
        )
    return path


def contents():
    """{path in the wheel: bytes} and its tag."""
    package = HERE / "gorila"
    version = re.search(r'^__version__ = "(.+)"', (package / "__init__.py").read_text(), re.M)[1]
    tag = f"py3-none-linux_{platform.machine()}"
    files = {f"gorila/{path.name}": path.read_bytes() for path in sorted(package.glob("*.py"))}
    library = find_library()
    files[f"gorila/{FILE}"] = library.read_bytes()
    # The hosts of users' own environments; the library looks for them there.
    script, program = "share/gorila/gorila_worker.py", "libexec/gorila/gorila-plugin-worker"
    files[f"gorila/{script}"] = (HERE / "worker" / pathlib.Path(script).name).read_bytes()
    if (library.parent.parent / program).exists():
        files[f"gorila/{program}"] = (library.parent.parent / program).read_bytes()
    info = f"gorila-{version}.dist-info"
    files[f"{info}/METADATA"] = METADATA.format(version=version).encode()
    files[f"{info}/WHEEL"] = WHEEL.format(tag=tag).encode()
    lines = []
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(data)}\n")
    files[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\n"]).encode()
    return files, f"gorila-{version}-{tag}.whl"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    del config_settings, metadata_directory
    files, name = contents()
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in files.items():
            # The same files give the same wheel.
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = (0o755 if path.endswith((FILE, "-worker")) else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, data)
    return name


def build_sdist(sdist_directory, config_settings=None):
    raise NotImplementedError("the package is built from the project's tree; build a wheel")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python3 python/build_wheel.py FOLDER")
    print(pathlib.Path(sys.argv[1]) / build_wheel(sys.argv[1]))
