"""SIGTERM and SIGINT: finish what was read, then leave. The program may tell itself to stop as well."""

import os
import signal
import time
from types import FrameType

DRAIN_SECONDS = 5.0
_FOR_DELIVERY = 0.9
"""Of the time for draining: the rest is for dead letters and for leaving."""

AWAY = "InfluxDB was away for too long; the next start goes on with what it does not have"
"""Why to stop where a record can be read again."""


class Stop:
    """Remembers that the program was told to stop and until when, and wakes whoever waits on `fd`.

    A handler that only sets a flag would leave `select` blocked: Python resumes it (PEP 475).
    A second signal leaves at once.
    """

    def __init__(self, drain_time: float = DRAIN_SECONDS) -> None:
        self.signal: int | None = None
        self.reason: str | None = None
        """Why the program stops by itself, in one sentence."""
        self.misconfigured = False
        """Whether that is for a setting, which has to be changed first."""
        self._drain_time = drain_time
        self._deadline = float("inf")
        self.fd, self._wakeup = os.pipe()
        for fd in (self.fd, self._wakeup):
            os.set_blocking(fd, False)

    def listen(self) -> None:
        """Installs the handlers; a signal that was ignored at start (`nohup`, `&`) stays ignored."""
        signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def begin(self) -> None:
        """Reading begins; a signal that came while the parts were loaded counts from now on."""
        if self.signal is not None:
            self._deadline = time.monotonic() + self._drain_time * _FOR_DELIVERY

    def because(self, reason: str, *, misconfigured: bool = False) -> None:
        """Tells the program to read no more. With a wrong setting nothing can be delivered any more."""
        if self.reason is None:
            self.reason, self.misconfigured = reason, misconfigured
        self._end_in(0 if misconfigured else self._drain_time * _FOR_DELIVERY)

    @property
    def asked(self) -> bool:
        """Whether the program was told to stop."""
        return self.signal is not None or self.reason is not None

    @property
    def why(self) -> str | None:
        """In one sentence; None while nobody said stop."""
        told = None if self.signal is None else f"told to stop by {signal.Signals(self.signal).name}"
        return self.reason or told

    def time_left(self) -> float:
        """Seconds in which what was read may still be delivered; endless while nobody said stop."""
        return self._deadline - time.monotonic()

    def reading_is_over(self) -> bool:
        """Whether it is time to leave the rest of the input alone: half the time is for delivering."""
        return self.reason is not None or self.time_left() <= self._drain_time / 2

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            os._exit(exit_code(number))
        self.signal = number
        self._end_in(self._drain_time * _FOR_DELIVERY)

    def _end_in(self, seconds: float) -> None:
        self._deadline = min(self._deadline, time.monotonic() + seconds)

    def quiet(self) -> None:
        """Takes the wake-up out of the pipe, so that waiting on `fd` blocks again."""
        os.read(self.fd, 4096)


def leave_to_parent() -> None:
    """A signal is meant for the process that started this one, which tells this one what to do."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    signal.set_wakeup_fd(-1)


def exit_code(number: int) -> int:
    """What a shell shows for a program that a signal ended."""
    return 128 + number
