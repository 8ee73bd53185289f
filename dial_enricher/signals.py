"""SIGTERM and SIGINT: finish what was read, then leave."""

import os
import signal
from types import FrameType


class Stop:
    """Remembers that the program was told to stop, and wakes whoever waits on `fd`.

    A handler that only sets a flag would leave `select` blocked: Python resumes it (PEP 475).
    A second signal leaves at once.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.fd, self._wakeup = os.pipe()
        for fd in (self.fd, self._wakeup):
            os.set_blocking(fd, False)

    def listen(self) -> None:
        """Installs the handlers; a signal that was ignored at start (`nohup`, `&`) stays ignored."""
        signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            os._exit(exit_code(number))
        self.signal = number

    def quiet(self) -> None:
        """Takes the wake-up out of the pipe, so that waiting on `fd` blocks again."""
        os.read(self.fd, 4096)


def exit_code(number: int) -> int:
    """What a shell shows for a program that a signal ended."""
    return 128 + number
