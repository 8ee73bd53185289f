"""The program on a terminal: a pty, and what a person sees on it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import PATIENCE, start

_PIECE = re.compile(rb"\r|\n|\x1b\[K|[^\r\n\x1b]+|\x1b[^A-Za-z]*[A-Za-z]?")


class Terminal:
    """Understands what a bar needs: return, newline, clearing to the end of the line; and nothing else."""

    def __init__(self, columns: int) -> None:
        self.master, self.slave = pty.openpty()
        self.columns = columns
        self.resize(columns)
        self.lines = [""]
        """What stands on the screen now, and has scrolled away."""
        self.seen: list[str] = []
        """What the last line was, each time that it was complete."""
        self._column = 0
        self._half = b""

    def resize(self, columns: int) -> None:
        self.columns = columns
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def look(self, seconds: float = PATIENCE) -> bool:
        """Reads what is written next; false when nobody can write any more."""
        assert select.select([self.master], [], [], seconds)[0], "nothing is shown"
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:  # the last writer has closed it
            return False
        self._take(self._half + data)
        return bool(data)

    def glance(self) -> None:
        """Reads what is written by now."""
        while select.select([self.master], [], [], 0)[0] and self.look():
            pass

    def look_to_the_end(self) -> None:
        """Reads until the program has gone."""
        os.close(self.slave)
        while self.look():
            pass

    def _take(self, data: bytes) -> None:
        whole = max(data.rfind(b"\r"), data.rfind(b"\n"), data.rfind(b"\x1b[K") + 2) + 1
        data, self._half = data[:whole], data[whole:]
        for piece in _PIECE.findall(data):
            if piece == b"\r":
                self._column = 0
            elif piece == b"\n":
                self.seen.append(self.lines[-1])
                self.lines.append("")
                self._column = 0
            elif piece == b"\x1b[K":
                self.lines[-1] = self.lines[-1][: self._column]
                self.seen.append(self.lines[-1])
            else:
                self._write(piece.decode())

    def _write(self, text: str) -> None:
        assert text.isprintable(), text
        line = self.lines[-1].ljust(self._column)
        self.lines[-1] = line[: self._column] + text + line[self._column + len(text) :]
        self._column += len(text)


@contextmanager
def on_terminal(
    *arguments: str | Path, columns: int = 100, env: Mapping[str, str] | None = None, **streams: Any
) -> Iterator[tuple[subprocess.Popen[bytes], Terminal]]:
    """The program with a terminal as standard error."""
    terminal = Terminal(columns)
    process = start(*arguments, env=env, stderr=terminal.slave, **streams)
    try:
        yield process, terminal
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        os.close(terminal.master)
