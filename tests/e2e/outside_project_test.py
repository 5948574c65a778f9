"""Projects of others, built against what cmake --install puts into a prefix."""

import pathlib
import shutil
import subprocess
import unittest

import program

BUILD = pathlib.Path(program.PROGRAM).resolve().parents[1]
SOURCES = pathlib.Path(__file__).resolve().parent / "outside"
MAZE = f"-DMAZE={program.SOURCE / 'examples' / 'plugin_c' / 'maze.c'}"


class Projects(program.Case):
    @classmethod
    def setUpClass(cls):
        if shutil.which("cmake") is None or not (BUILD / "cmake_install.cmake").exists():
            raise unittest.SkipTest("no cmake, or the program is not in a build tree")
        if program.is_sanitized():
            raise unittest.SkipTest("a program without a sanitizer cannot load the library with one")

    def setUp(self):
        super().setUp()
        self.prefix_folder = self.folder / "prefix"
        self.command("cmake", "--install", BUILD, "--prefix", self.prefix_folder)

    def command(self, *arguments, **options):
        done = subprocess.run(
            list(map(str, arguments)), cwd=self.folder, capture_output=True, text=True, **options
        )
        self.assertEqual(done.returncode, 0, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def build(self, name, *definitions):
        """The commands that it compiled with."""
        self.command(
            "cmake", "-S", SOURCES / name, "-B", name, f"-DCMAKE_PREFIX_PATH={self.prefix_folder}",
            "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", *definitions,
        )  # fmt: skip
        self.command("cmake", "--build", name)
        return (self.folder / name / "compile_commands.json").read_text()

    def train(self):
        self.run_program("train", *program.TINY, "--deterministic", "--quiet", "--run-dir", "run")

    def test_a_c_project_asks_a_trained_network_and_steps_games(self):
        commands = self.build("c", MAZE)
        for leaked in ["-Wall", "-Werror", "-fsanitize", "-fno-math-errno", str(program.SOURCE / "src")]:
            self.assertNotIn(leaked, commands)
        self.train()
        text = self.command(self.folder / "c" / "play", "run")
        self.assertIn("classic/catch double_dqn: 1x10x5 uint8, 3 actions", text)
        # Greedy play of a network that has learnt catches nearly every ball.
        caught = int(text.split("caught ")[1].split(" of ")[0])
        self.assertGreater(caught, 60, text)
        self.assertIn("no network: 'nowhere': no such file or folder", text)

        # Its plug-in, in the program and in a process of its own, through what was installed.
        checked = self.command(
            self.prefix_folder / "bin" / "gorila", "train", "--env", "plugin-process:./c/libmaze.so",
            "--frames", "2000", "--quiet", "--set", "replay.min_size=500", "--set",
            "evaluation.episodes=1", "--run-dir", "maze",
        )  # fmt: skip
        self.assertIn("score", checked)

    def test_a_cpp_project_plays_vectors_of_games(self):
        self.build("c", MAZE)
        self.build("cpp")
        for name in ["minatar/breakout", "plugin:./c/libmaze.so"]:
            text = self.command(self.folder / "cpp" / "vector", name)
            self.assertRegex(text, rf"{name}: 64 games, \d+ ends")

    def test_only_the_functions_of_the_header_are_exported(self):
        library = self.prefix_folder / "lib" / "libgorila.so.1"
        text = self.command("nm", "-D", "--defined-only", library)
        names = {line.split()[2].partition("@")[0] for line in text.splitlines()}
        names.discard("GORILA_1")
        header = (self.prefix_folder / "include" / "gorila.h").read_text()
        for name in names:
            self.assertIn(f"{name}(", header)
        self.assertEqual(names, {name for name in names if name.startswith("gorila_")})
        self.assertGreater(len(names), 25)

    def test_the_library_needs_neither_libtorch_nor_grpc(self):
        text = self.command("ldd", self.prefix_folder / "lib" / "libgorila.so.1")
        for unwanted in ["torch", "grpc", "protobuf", "cairo", "not found"]:
            self.assertNotIn(unwanted, text)

    def test_the_header_is_c99_by_itself(self):
        (self.folder / "alone.c").write_text("#include <gorila.h>\nint main(void) { return 0; }\n")
        self.command(
            "cc", "-std=c99", "-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-c", "alone.c",
            f"-I{self.prefix_folder / 'include'}",
        )  # fmt: skip


if __name__ == "__main__":
    program.main()
