"""A program on a pipe whose both ends are ours."""

import fcntl
import os
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from tests.delivery import Sender
from tests.influxd import wait_for
from tests.support import start


class Pipe:
    """A standard input whose both ends are ours: what a program leaves in it is read back."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.end, self._writing = os.pipe()
        self._written = 0
        self._over = Event()
        Thread(target=self._write, daemon=True).start()

    def _write(self) -> None:
        while self._written < len(self.data):
            self._written += os.write(self._writing, self.data[self._written : self._written + 65536])
        self._over.wait()
        os.close(self._writing)

    @property
    def taken(self) -> int:
        """Bytes that the program has read."""
        written = self._written
        (waiting,) = struct.unpack("i", fcntl.ioctl(self.end, termios.FIONREAD, bytes(4)))
        return written - int(waiting)

    def wait_until_blocked(self) -> None:
        """Returns when the program has read a part and reads no more."""
        wait_for(lambda: self.taken > 0)
        before = -1
        while before != (before := self.taken):
            time.sleep(0.3)
        assert before < len(self.data), "it has read everything"

    def wait_until_empty(self) -> None:
        wait_for(lambda: self.taken == len(self.data))

    def close(self) -> bytes:
        """What the program has read."""
        self._over.set()
        with open(self.end, "rb") as end:
            rest = end.read()
        assert self.data.endswith(rest)
        return self.data[: len(self.data) - len(rest)]


@contextmanager
def reading(program: Sender, data: bytes) -> Iterator[tuple[Pipe, subprocess.Popen[bytes]]]:
    """The program on a pipe of ours, which nobody closes."""
    pipe = Pipe(data)
    process = start(*program.command, env=program.env, stdin=pipe.end)
    try:
        yield pipe, process
    finally:
        process.kill()
        process.communicate()
