"""cmake --install into an empty prefix, and the installed program by itself; help as people read it."""

import os
import pathlib
import shutil
import subprocess
import sys
import unittest

from program import HAS_TORCH, PROGRAM, SOURCE, TINY, Case
from typed_zsh import TypedZsh

BUILD = pathlib.Path(PROGRAM).resolve().parents[1]


class Prefix(Case):
    def setUp(self):
        super().setUp()
        if shutil.which("cmake") is None or not (BUILD / "cmake_install.cmake").exists():
            self.skipTest("no cmake, or the program is not in a build tree")
        self.prefix_folder = self.folder / "prefix"
        installed = subprocess.run(
            ["cmake", "--install", str(BUILD), "--prefix", str(self.prefix_folder)],
            capture_output=True,
            text=True,
        )
        self.assertEqual(installed.returncode, 0, installed.stderr)

    def run_installed(self, *arguments):
        path = f"{self.prefix_folder / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            ["gorila", *arguments],
            cwd=self.folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
        )

    def test_the_installed_program_trains_and_its_files_are_there(self):
        version = self.run_installed("--version")
        self.assertRegex(version.stdout, r"^gorila \d+\.\d+\.\d+")
        trained = self.run_installed("train", *TINY, "--run-dir", "run", "--quiet")
        self.assertEqual(trained.returncode, 0, trained.stderr)
        share = self.prefix_folder / "share"
        for file in ["man/man1/gorila-train.1", "bash-completion/completions/gorila",
                     "zsh/vendor-completions/_gorila", "fish/vendor_completions.d/gorila.fish",
                     "gorila/configs/minatar.toml", "gorila/data/atari/atari_scores.csv",
                     "gorila/data/minatar/published.csv", "gorila/gorila_worker.py",
                     "doc/gorila/README.md", "doc/gorila/copyright"]:  # fmt: skip
            self.assertTrue((share / file).is_file(), file)
        self.assertTrue(os.access(self.prefix_folder / "libexec/gorila/gorila-plugin-worker", os.X_OK))
        self.assertFalse(list(self.prefix_folder.rglob("*_test")))

    def test_the_installed_program_finds_its_module(self):
        if not HAS_TORCH:
            self.skipTest("built without libtorch")
        self.assertTrue((self.prefix_folder / "lib/gorila/libgorila_torch.so").is_file())
        trained = self.run_installed(
            "train", *TINY, "--set", "network.backend=torch", "--frames", "2000",
            "--run-dir", "run", "--quiet"
        )  # fmt: skip
        self.assertEqual(trained.returncode, 0, trained.stderr)

    def test_the_installed_program_trains_on_an_environment_in_python(self):
        moved = self.folder / "elsewhere"
        self.prefix_folder.rename(moved)
        self.prefix_folder = moved
        trained = self.run_installed(
            "train", *TINY, "--frames", "2000", "--run-dir", "run", "--quiet", "--env", "python:worker_games:Walk",
            "--set", f"environment.python={sys.executable}", "--set", f"environment.python_path={SOURCE / 'tests/python'}",
        )  # fmt: skip
        self.assertEqual(trained.returncode, 0, trained.stderr)
        (moved / "share" / "gorila" / "gorila_worker.py").unlink()
        without = self.run_installed("envs", "check", "python:worker_games:Walk")
        self.assertEqual(without.returncode, 2)
        self.assertIn("'gorila_worker.py' is not installed with gorila", without.stderr)


class Help(Case):
    def verbs(self):
        lines = self.run_program("help").stdout.splitlines()
        return [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]

    def run_program(self, *arguments):
        return subprocess.run(
            [PROGRAM, *arguments], cwd=self.folder, capture_output=True, text=True
        )

    def test_lines_fit_and_help_says_what_the_flag_says(self):
        self.assertGreater(len(self.verbs()), 20)
        for verb in self.verbs():
            if verb in ("gorila", "--version", "-h,"):
                continue
            flag = self.run_program(verb, "--help")
            help_verb = self.run_program("help", verb)
            self.assertEqual((flag.returncode, help_verb.returncode), (0, 0), verb)
            self.assertEqual(flag.stdout, help_verb.stdout, verb)
            self.assert_fits(flag.stdout)
        for arguments in [["--help"], ["help", "envs", "verify"], ["envs", "verify", "--help"],
                          ["envs", "check", "--help"]]:
            self.assert_fits(self.run_program(*arguments).stdout)

    def assert_fits(self, text):
        self.assertIn("Example", text)
        for line in text.splitlines():
            self.assertLessEqual(len(line), 100, line)

    def test_older_names_are_not_shown(self):
        for verb, shown, older in [
            ("train", "--shards", "--parameter-servers"),
            ("suite", "--shards", "--parameter-servers"),
            ("play", "PATH", "--checkpoint"),
        ]:
            text = self.run_program("help", verb).stdout
            self.assertIn(shown, text)
            self.assertNotIn(older, text)
        script = self.run_program("completions", "bash").stdout
        self.assertNotIn("--checkpoint", script)

    def test_verbs_are_in_groups(self):
        text = self.run_program("--help").stdout
        headings = ["\nTrain:", "\nLook:", "\nShare:", "\nRun on a cluster:", "\nRoles"]
        places = [text.find(heading) for heading in headings]
        self.assertNotIn(-1, places)
        self.assertEqual(places, sorted(places))

    def test_unknown_names_are_answered_with_the_nearest_few(self):
        for arguments, nearest in [(["trian"], "'train'"), (["help", "evaluat"], "'evaluate'"),
                                   (["help", "envs", "verfy"], "'verify'")]:  # fmt: skip
            refused = self.run_program(*arguments)
            self.assertEqual(refused.returncode, 2)
            self.assertIn(f"did you mean {nearest}", refused.stderr)
            self.assertLessEqual(refused.stderr.count("'"), 8)


class Generated(Case):
    """Completions and man pages, read by the programs that they are for."""

    def written_by_program(self, *arguments):
        written = subprocess.run(
            [PROGRAM, *arguments], cwd=self.folder, capture_output=True, text=True
        )
        self.assertEqual(written.returncode, 0, written.stderr)
        return written.stdout

    def test_bash_completes_verbs_options_and_values(self):
        script = self.written_by_program("completions", "bash") + """
for word in "$@"; do COMP_WORDS+=("$word"); done
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_gorila
printf '%s\\n' "${COMPREPLY[@]}"
"""
        (self.folder / "mine").touch()
        for words, expected in [(["tr"], ["train"]), (["train", "--fr"], ["--frames"]),
                                (["scores", "mi"], ["minatar", "mine"]),
                                (["scores", "minatar", "mi"], ["mine"]),
                                (["scores", "minatar", "--ma"], ["--markdown"]),
                                (["envs", "v"], ["verify"]), (["help", "env"], ["envs"]),
                                (["train", "--set", "run.fr"], ["run.frames="]),
                                (["train", "--run-dir", "run", "--preset", "pix"], ["pixel"]),
                                (["train", "--preset", "=", "pix"], ["pixel"]),
                                (["launch", "--engine", "="], ["local", "slurm", "kubernetes"]),
                                (["runs", "--sort", "fr"], ["frames"]),
                                (["runs", "--sort", "-sc"], ["-score"]),
                                (["runs", "--filter", "ga"], ["game="]),
                                (["runs", "--filter", "learner.n_"], ["learner.n_step="]),
                                (["report", "--x", ""], ["frames", "updates", "seconds"]),
                                (["report", "--statistic", "i"], ["iqm"]),
                                (["train", "--seed", ""], [""])]:  # fmt: skip
            shell = subprocess.run(
                ["bash", "--norc", "-c", script, "bash", "gorila", *words],
                cwd=self.folder, capture_output=True, text=True
            )  # fmt: skip
            self.assertEqual(shell.stderr, "")
            self.assertEqual(shell.stdout.splitlines(), expected, words)

    def test_zsh_completes_verbs_options_and_values(self):
        if shutil.which("zsh") is None:
            self.skipTest("zsh is not installed")
        (self.folder / "_gorila").write_text(self.written_by_program("completions", "zsh"))
        (self.folder / "first-file").touch()
        zsh = TypedZsh(self.folder)
        self.addCleanup(zsh.close)
        # A key of the configuration is followed by its value, everything else by a space.
        for typed, expected in [("tr", "train "), ("train --fr", "train --frames "),
                                ("scores mina", "scores minatar "),
                                ("scores fir", "scores first-file "),
                                ("envs v", "envs verify "), ("help env", "help envs "),
                                ("train --preset pix", "train --preset pixel "),
                                ("train --preset=pix", "train --preset=pixel "),
                                ("train --set run.fr", "train --set run.frames="),
                                ("train --set=run.fr", "train --set=run.frames="),
                                ("runs --sort -sc", "runs --sort -score "),
                                ("runs --filter learner.n_", "runs --filter learner.n_step="),
                                ("report --statistic i", "report --statistic iqm "),
                                ("train --config fir", "train --config first-file "),
                                ("export fir", "export first-file "),
                                ("train --seed ", "train --seed ")]:  # fmt: skip
            self.assertEqual(zsh.complete("gorila " + typed), "gorila " + expected)

    def test_zsh_reads_its_completions_as_they_are_printed(self):
        if shutil.which("zsh") is None:
            self.skipTest("zsh is not installed")
        (self.folder / "script").write_text(self.written_by_program("completions", "zsh"))
        zsh = TypedZsh(self.folder)
        self.addCleanup(zsh.close)
        zsh.type("source ./script\n")
        self.assertEqual(zsh.complete("gorila evalu"), "gorila evaluate ")

    def test_fish_completes_verbs_options_and_values(self):
        if shutil.which("fish") is None:
            self.skipTest("fish is not installed")
        (self.folder / "gorila.fish").write_text(self.written_by_program("completions", "fish"))
        (self.folder / "first-file").touch()
        for typed, expected in [("tr", ["train"]), ("train --fr", ["--frames"]),
                                ("scores mina", ["minatar"]), ("scores fir", ["first-file"]),
                                ("envs v", ["verify"]), ("help env", ["envs"]),
                                ("train --preset pix", ["pixel"]),
                                ("train --preset=pix", ["--preset=pixel"]),
                                ("train --set run.fr", ["run.frames="]),
                                ("runs --sort fr", ["frames"]),
                                ("runs --filter learner.n_", ["learner.n_step="]),
                                ("report --statistic i", ["iqm"]),
                                ("train --config fir", ["first-file"]),
                                ("export fir", ["first-file"]),
                                ("train --seed ", [])]:  # fmt: skip
            fish = subprocess.run(
                ["fish", "--no-config", "-c", 'source gorila.fish; complete -C "gorila $argv"', typed],
                cwd=self.folder,
                env={**os.environ, "HOME": str(self.folder)},
                capture_output=True,
                text=True,
            )
            self.assertEqual(fish.stderr, "")
            shown = [line.partition("\t")[0] for line in fish.stdout.splitlines()]
            self.assertEqual(shown, expected, typed)

    def test_man_pages_have_no_warnings(self):
        self.written_by_program("manual", "man1")
        pages = sorted((self.folder / "man1").iterdir())
        self.assertGreater(len(pages), 20)
        if shutil.which("groff") is None:
            self.skipTest("groff is not installed")
        read = subprocess.run(
            ["groff", "-man", "-ww", "-Tutf8", "-K", "utf8", *pages], capture_output=True, text=True
        )
        if "preconv" in read.stderr:
            self.skipTest("groff has no preconv here")
        self.assertEqual((read.returncode, read.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
