"""An interactive zsh in a pseudo-terminal, which completes lines as it does for a person."""

import os
import pty
import re
import select
import signal
import time

# Ctrl-T completes and shows the line. <ready> is put together, lest its echo be taken for it.
SETUP = r"""
unsetopt prompt_cr prompt_sp zle_bracketed_paste beep; PS1=; bindkey -e
shown() { zle complete-word; print -r -- "<$BUFFER>"; zle kill-buffer }
zle -N shown; bindkey '^T' shown
autoload -Uz compinit; fpath=($PWD $fpath); compinit -u -D
print -r -- "<rea""dy>"
"""


class TypedZsh:
    def __init__(self, folder):
        self.seen = ""
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execvpe("zsh", ["zsh", "-f", "-i"], {**os.environ, "TERM": "dumb"})
        self.type(SETUP)
        self.until("<ready>")

    def type(self, text):
        os.write(self.terminal, text.encode())

    def until(self, pattern):
        deadline = time.monotonic() + 60
        while (found := re.search(pattern, self.seen)) is None:
            left = max(0, deadline - time.monotonic())
            if not select.select([self.terminal], [], [], left)[0]:
                raise TimeoutError(f"no {pattern} in {self.seen!r}")
            self.seen += os.read(self.terminal, 65536).decode(errors="replace")
        self.seen = self.seen[found.end() :]
        return found

    def complete(self, line):
        self.type(line + "\x14")
        return self.until(r"<([^<>\r\n]*)>")[1]

    def close(self):
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.terminal)
