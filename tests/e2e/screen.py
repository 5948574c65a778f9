"""A terminal for the program: what it shows, and keys typed into it."""

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unicodedata

import program


class Screen:
    """What a terminal shows of bytes sent to it, scrolled lines included; other sequences are errors."""

    SEQUENCE = re.compile(r"\x1b\[(\??)([\d;]*)([A-Za-z])")

    def __init__(self, columns):
        self.columns = columns
        self.lines, self.row, self.column = [[]], 0, 0
        self.cursor_shown = True

    def put(self, text):
        at = 0
        while at < len(text):
            sequence = self.SEQUENCE.match(text, at)
            if sequence:
                self.obey(*sequence.groups())
                at = sequence.end()
                continue
            self.put_character(text[at])
            at += 1

    def put_character(self, character):
        if character == "\n":
            self.row += 1
        elif character == "\r":
            self.column = 0
        elif character == "\a":
            pass
        else:
            assert unicodedata.category(character) != "Cc", repr(character)
            if self.column == self.columns:  # the line is full, so the next one goes on
                self.row, self.column = self.row + 1, 0
            self.extend()
            line = self.lines[self.row]
            line.extend(" " * (self.column - len(line)))
            line[self.column : self.column + 1] = character
            self.column += 1
        self.extend()

    def extend(self):
        while len(self.lines) <= self.row:
            self.lines.append([])

    def obey(self, private, numbers, command):
        if private:
            assert numbers in ("25", "2004"), numbers
            if numbers == "25":
                self.cursor_shown = command == "h"
        elif command == "A":
            self.row = max(0, self.row - int(numbers or 1))
            self.column = min(self.column, self.columns - 1)
        elif command == "K":
            assert numbers in ("", "0", "2"), numbers
            del self.lines[self.row][0 if numbers == "2" else self.column :]
        elif command == "J":
            assert numbers in ("", "0"), numbers
            del self.lines[self.row][self.column :]
            del self.lines[self.row + 1 :]
        else:
            assert command == "m", command

    def text(self):
        return ["".join(line).rstrip() for line in self.lines]


class Terminal(program.Case):
    """Cases in which the program has a terminal, of which it is the foreground."""

    COLUMNS, ROWS = 120, 40

    def setUp(self):
        super().setUp()
        self.master, self.slave = os.openpty()
        self.addCleanup(os.close, self.master)
        self.addCleanup(os.close, self.slave)
        self.resize(self.COLUMNS, self.ROWS)
        self.settings = termios.tcgetattr(self.slave)
        self.forget()
        self.pending = b""  # the begin of a character

    def forget(self):
        """What was shown until now."""
        self.seen = ""  # with control sequences
        self.plain = ""  # without those for colours and erasing

    def resize(self, columns, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def open(self, *arguments, environment=None, command=None):
        """Starts the program in the terminal."""
        environment = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **(environment or {})}
        process = subprocess.Popen(
            command or [program.PROGRAM, *map(str, arguments)],
            cwd=self.folder,
            env=environment,
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self.addCleanup(program.stop_for_good, process)
        return process

    def read(self, timeout):
        ready, _, _ = select.select([self.master], [], [], timeout)
        if not ready:
            return False
        data = self.pending + os.read(self.master, 65536)
        text = data.decode(errors="ignore")
        self.pending = b"" if text.encode() == data else data[len(text.encode()) :]
        self.seen += text
        self.plain = re.sub(r"\x1b\[[\d;]*[mKJ]", "", self.seen)
        return True

    def read_until(self, pattern, after=0):
        """Reads on until `plain` has the pattern behind so many characters; where it ends."""
        deadline = time.monotonic() + program.DEADLINE
        while not (found := re.compile(pattern).search(self.plain, after)):
            self.assertLess(time.monotonic(), deadline, self.seen[-2000:])
            self.read(1)
        return found.end()

    def type(self, keys):
        os.write(self.master, keys.encode())

    def finish_on_terminal(self, process, status):
        """Reads to the end of the process."""
        deadline = time.monotonic() + program.DEADLINE
        while process.poll() is None:
            self.assertLess(time.monotonic(), deadline, self.seen[-2000:])
            self.read(0.05)
        while self.read(0):
            pass
        self.assertEqual(process.returncode, status, self.seen[-2000:])
        self.assertEqual(termios.tcgetattr(self.slave), self.settings)

    def screen(self, columns=None):
        screen = Screen(columns or self.COLUMNS)
        screen.put(self.seen)
        return screen

    def assert_left_tidy(self, process, status=130):
        """Nothing is left of keys or half a line, and the shell's prompt has a line of its own."""
        self.finish_on_terminal(process, status)
        screen = self.screen()
        self.assertNotIn("^C", "\n".join(screen.text()))
        self.assertEqual((screen.column, screen.text()[-1]), (0, ""), screen.text())
        self.assertTrue(screen.cursor_shown)
        return screen.text()

    def stop(self, process, number=signal.SIGTERM):
        process.send_signal(number)
