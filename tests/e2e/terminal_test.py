"""What people see on their terminals while something runs, and what is left there afterwards."""

import re
import signal

import cluster
import program
import screen

LONG = [*(a for a in program.TINY if a not in ("--frames", "12000")), "--frames", "50M"]
EVALUATED = ["--set", "evaluation.every_frames=2000", "--set", "evaluation.periodic_episodes=2"]
BLOCKS = set("▁▂▃▄▅▆▇█")


class Training(screen.Terminal):
    def test_a_wide_terminal_has_curves_and_a_line_for_each_bundle(self):
        process = self.open("train", *LONG, *EVALUATED, "--run-dir", "run")
        self.read_until(r"\nevaluation\W")
        self.read_until(r"bundle 1 .*staleness \d", after=self.read_until(r"bundle 0 .*frames/s \d"))
        lines = self.screen().text()
        for name in ["return", "evaluation"]:
            (line,) = (line for line in lines if re.match(rf"{name} +[{''.join(BLOCKS)}]", line))
            self.assertRegex(line, r" -?[\d.]+ to -?[\d.]+$")
        self.assertEqual(len([line for line in lines if re.match("bundle [01] +frames/s", line)]), 2)
        self.type("\x03")
        lines = self.assert_left_tidy(process)
        self.assertRegex(lines[-2], r"^stopped at \d+ frames; continue with: gorila resume run$")
        # A resumed run's curves begin where the run did.
        self.forget()
        process = self.open("resume", "run")
        at = self.read_until(r"\nreturn +[▁-█].*\n")
        self.assertNotRegex(self.plain[:at], r"\nevaluation +-")
        self.assertRegex(self.plain[:at].splitlines()[-1], r"[▂-█]", "one point would be flat")
        self.stop(process)
        self.assert_left_tidy(process)

    def test_the_view_follows_the_width_of_the_terminal(self):
        process = self.open("train", *LONG, "--run-dir", "run")
        self.read_until(r"\nbundle 1 ")
        self.resize(99, 40)
        at = len(self.plain)
        # Three views, for the first may still be of the width before, and none may be whole.
        for _ in range(3):
            begin, at = at, self.read_until(r"bottleneck", after=at)
        self.assertNotIn("bundle 0", self.plain[begin:at])
        self.resize(120, 40)
        self.read_until(r"\nbundle 1 ", after=at)
        self.type("\x03")
        self.assert_left_tidy(process)

    def test_without_utf8_everything_is_ascii(self):
        process = self.open("train", *LONG, *EVALUATED, "--run-dir", "run", environment={"LC_ALL": "C"})
        self.read_until(r"\nbundle 1 ", after=self.read_until(r"\nevaluation +[_.:=+*#-]"))
        self.type("\x03")
        self.assert_left_tidy(process)
        self.assertTrue(self.seen.isascii())

    def test_without_colours_or_control_sequences(self):
        process = self.open("train", *LONG, "--run-dir", "run", environment={"NO_COLOR": "1"})
        self.read_until(r"\nbundle 1 ")
        self.type("\x03")
        self.assert_left_tidy(process)
        self.assertNotRegex(self.seen, r"\x1b\[[\d;]+m")
        self.forget()
        process = self.open("train", *LONG, "--run-dir", "dumb", environment={"TERM": "dumb"})
        self.read_until(r"\[\d+s\] frames ")
        self.type("\x03")
        self.finish_on_terminal(process, 130)
        self.assertNotIn("\x1b", self.seen)
        self.assertNotIn("bundle 0", self.seen)
        self.assertRegex(self.seen, r"\^C\r\n", "what follows has a line of its own")

    def test_quiet_is_quiet(self):
        process = self.open("train", *program.TINY, "--quiet", "--run-dir", "run")
        self.finish_on_terminal(process, 0)
        self.assertRegex(self.seen, r"^score ")


class Interrupted(screen.Terminal):
    def test_launch(self):
        process = self.open("launch", *cluster.TINY, "--frames", "50M", "--run-dir", "run")
        self.read_until(r"bundle 1 .*frames/s \d.*staleness \d")
        self.type("\x03")
        lines = self.assert_left_tidy(process)
        self.assertRegex(lines[-2], r"^stopped at \d+ frames; continue with: gorila launch --resume run$")

    def test_a_second_key_ends_at_once(self):
        process = self.open("train", *LONG, "--run-dir", "run")
        self.read_until(r"\nbundle 1 ")
        process.send_signal(signal.SIGTERM)
        self.type("\x03")
        self.assert_left_tidy(process)

    def test_suite(self):
        settings = [a for a in LONG if a not in ("--env", "classic/catch")]
        process = self.open("suite", "classic/catch", *settings, "--folder", "suite")
        self.read_until(r"\nbundle 1 ")
        self.type("\x03")
        lines = self.assert_left_tidy(process)
        self.assertIn("again", lines[-2])

    def test_dashboard_and_evaluate(self):
        self.run_program("train", *program.TINY, "--quiet", "--run-dir", "run")
        process = self.open("dashboard", "run", "--listen", "127.0.0.1:0")
        self.read_until(r"dashboard: http\S+\r\n")
        self.type("\x03")
        lines = self.assert_left_tidy(process, 0)
        self.assertRegex("\n".join(lines), r"^dashboard: http\S+\n$")
        self.forget()
        # Its episodes are of 2,500 steps, so a million of them take an hour.
        self.run_program(
            "train", *program.TINY, "--env", "minatar/freeway", "--frames", "1000", "--set", "evaluation.episodes=1",
            "--quiet", "--run-dir", "long",
        )  # fmt: skip
        process = self.open("evaluate", "long", "--episodes", "1000000")
        self.wait_until(lambda: threads_wait_for_signals(process), process)
        self.type("\x03")
        lines = self.assert_left_tidy(process)
        self.assertEqual(len(lines), 2, lines)
        self.assertRegex(lines[0], "^gorila: ")


def threads_wait_for_signals(process):
    """Whether the key no longer ends the process at once."""
    blocked = program.signals_of_threads(process, "SigBlk")
    return sum(1 for signals in blocked if signals & program.signal_mask(signal.SIGINT)) > 1


class Keys(screen.Terminal):
    COLUMNS, ROWS = 80, 24
    RANDOM = ["play", "--env", "minatar/breakout", "--episodes", "1000"]

    def test_a_watched_game_pauses_steps_and_quits(self):
        process = self.open(*self.RANDOM, "--delay-ms", "20")
        self.read_until(r"50 steps/s   q quits, space pauses, \+ - change speed")
        self.type(" ")
        at = self.read_until(r"step (\d+),.*\n.*paused   space continues, s takes one step, q quits")
        episode, step = re.findall(r"episode (\d+), step (\d+),", self.plain[:at])[-1]
        self.type("s")
        at = self.read_until(rf"episode {episode}, step {int(step) + 1},|episode {int(episode) + 1}, step 0,", after=at)
        self.read_until(r"paused ", after=at)
        self.type(" ")
        at = self.read_until(r"50 steps/s", after=at)
        self.type("+")
        at = self.read_until(r"100 steps/s", after=at)
        self.type("--")
        at = self.read_until(r"25 steps/s", after=at)
        self.type("q")
        self.finish_on_terminal(process, 0)
        self.assertTrue(self.screen().cursor_shown)

    def test_a_person_pauses_with_p(self):
        process = self.open("play", "--env", "minatar/breakout", "--keyboard", "--episodes", "1000")
        self.read_until(r"arrows and space play, p pauses, \+ - change speed, q quits")
        self.type("p")
        at = self.read_until(r"paused   p continues")
        self.type("\x1b[C")
        self.read_until(r"step \d+", after=at)
        self.type("q")
        self.finish_on_terminal(process, 0)

    def test_the_terminal_is_restored_however_the_game_ends(self):
        for arguments in [self.RANDOM, [*self.RANDOM, "--keyboard"]]:
            for end in ["SIGTERM", "SIGINT", "\x03", "\x1c"]:
                with self.subTest(arguments=arguments, end=end):
                    self.forget()
                    process = self.open(*arguments, "--delay-ms", "10000")
                    self.read_until(r"step 0,.*\n.*steps/s")
                    if end.startswith("SIG"):
                        process.send_signal(getattr(signal, end))
                    else:
                        self.type(end)
                    lines = self.assert_left_tidy(process, 0 if end == "\x1c" else 130)
                    self.assertRegex(lines[-2], r"^episode 1: return .*, not finished$")

    def test_a_suspended_game_gives_the_terminal_back(self):
        shell = ["bash", "--norc", "--noprofile", "--noediting", "-i"]
        process = self.open(command=shell, environment={"PS1": "prompt$ "})
        self.read_until(r"prompt\$ ")
        self.type(" ".join([program.PROGRAM, *self.RANDOM]) + "\n")
        at = self.read_until(r"step 3,.*\n.*steps/s")
        self.type("\x1a")
        at = self.read_until(r"Stopped[^\n]*\r\n[^\n]*prompt\$ ", after=at)
        self.assertTrue(self.screen().cursor_shown)
        self.type("fg\n")
        at = self.read_until(r"step \d+,.*\n.*steps/s", after=at)
        self.type("q")
        at = self.read_until(r"not finished[^\n]*\n[^\n]*prompt\$ ", after=at)
        self.type("exit\n")
        self.finish_on_terminal(process, 0)

    def test_a_small_terminal_shows_a_small_picture(self):
        self.resize(50, 12)
        process = self.open(*self.RANDOM)
        self.read_until(r"q quits, space pauses, \+ - change spe\r", after=self.read_until("steps/s"))
        self.type("q")
        self.finish_on_terminal(process, 0)
        lines = self.screen(50).text()
        self.assertEqual(len([line for line in lines if "steps/s" in line]), 1, lines)

    def test_without_utf8_the_picture_is_made_of_spaces(self):
        process = self.open(*self.RANDOM, environment={"LC_ALL": "C"})
        self.read_until(r"step 4,")
        self.assertRegex(self.seen, r"\x1b\[48;2;\d+;\d+;\d+m  \x1b")
        self.type("q")
        self.finish_on_terminal(process, 0)
        self.assertTrue(self.seen.isascii())


if __name__ == "__main__":
    program.main()
