"""Packages from npm's registry for tests that run Node.js: in the build folder, installed once."""

import fcntl
import pathlib
import shutil
import subprocess
import unittest

import program

BUILD = pathlib.Path(program.PROGRAM).resolve().parents[1]


def provide(folder, script, *packages):
    """The path of the script beside its packages (name@version each); skips the test without them."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise unittest.SkipTest("skipped: Node.js and npm are not installed")
    place = BUILD / folder
    place.mkdir(exist_ok=True)
    with open(place / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install(place, packages)
        # A module imports from folders above its own.
        shutil.copy(script, place)
    return place / script.name


def install(place, packages):
    done = place / "installed"
    if done.exists() and done.read_text().split() == list(packages):
        return
    installed = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts",
         "--silent", "--prefix", place, *packages],
        capture_output=True, text=True,
    )  # fmt: skip
    if installed.returncode != 0:
        raise unittest.SkipTest(
            f"skipped: npm cannot install {', '.join(packages)}: {installed.stderr}{installed.stdout}"
        )
    done.write_text("\n".join(packages))
