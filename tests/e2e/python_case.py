"""Runs Python code over the package, with the distribution's Python and numpy."""

import os
import pathlib
import subprocess
import textwrap
import unittest

import program

BUILD = pathlib.Path(program.PROGRAM).resolve().parents[1]
LIBRARY = BUILD / "lib" / "libgorila.so.1"
PACKAGE = program.SOURCE / "python"
PYTHON = "/usr/bin/python3"


def has(module):
    """Whether that Python has it."""
    done = subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True)
    return done.returncode == 0


class Case(program.Case):
    @classmethod
    def setUpClass(cls):
        if not has("numpy"):
            raise unittest.SkipTest("the distribution's Python has no numpy")
        if not LIBRARY.exists():
            raise unittest.SkipTest(f"{LIBRARY} is not built")
        if program.is_sanitized():
            raise unittest.SkipTest("Python cannot load a library with a sanitizer")

    def python(self, code, *arguments, expect=0, gymnasium=False, **environment):
        """Runs the code; what it printed. Without Gymnasium unless that is asked for."""
        hide = "" if gymnasium else "import sys; sys.modules['gymnasium'] = None\n"
        path = os.pathsep.join(filter(None, [str(PACKAGE), os.environ.get("PYTHONPATH")]))
        done = subprocess.run(
            [PYTHON, "-B", "-W", "error", "-c", hide + textwrap.dedent(code), *map(str, arguments)],
            cwd=self.folder, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": path, "GORILA_LIBRARY": str(LIBRARY), **environment},
        )  # fmt: skip
        self.assertEqual(done.returncode, expect, f"{done.stdout}\n{done.stderr}")
        return done.stdout

    def error(self, code, **options):
        """The line that an error of ours makes of the code."""
        text = self.python(
            "import gorila, numpy\ntry:\n"
            + textwrap.indent(textwrap.dedent(code), "    ")
            + "\nexcept gorila.Error as error:\n    print(type(error).__name__, error)",
            **options,
        )
        self.assertEqual(text.count("\n"), 1, text)
        return text

    def train(self, *more, run="run"):
        """Half a second, after which Catch is nearly always won."""
        self.run_program(
            "train", *program.TINY, "--deterministic", "--quiet", *more, "--run-dir", run
        )
