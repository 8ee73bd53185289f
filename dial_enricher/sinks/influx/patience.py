"""How long an outage of the server is waited for, and how often it is asked meanwhile."""

import random
import time

from dial_enricher.logs import LOGGER
from dial_enricher.signals import Stop

_FIRST_WAIT = 0.25
_LONGEST_WAIT = 30.0
_STOPPING_WAIT = 0.25
"""Seconds. A program that was told to stop has no time for long waits."""
_GLANCE = 0.05
"""Seconds between two looks at whether the program was told to stop."""


def backoff(attempt: int) -> float:
    """Seconds to wait after the attempt of this number, from 0: doubling, with jitter, at most 30.

    Jitter keeps many programs from coming back to a server at the same moment.
    """
    longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(attempt, 20))
    return random.uniform(longest / 2, longest)


class Patience:
    """Waits for the server, for all packages under way together.

    `retry_time` counts from the first failure of an outage, in seconds; None: for ever. While an outage
    lasts longer, each package gets one attempt.
    """

    def __init__(self, retry_time: float | None, stop: Stop) -> None:
        self._retry_time = float("inf") if retry_time is None else retry_time
        self._stop = stop
        self._since: float | None = None
        self.trouble = ""
        """What the server said last, or what went wrong; empty while all is well."""

    def succeeded(self) -> None:
        """The server answers: an outage is over."""
        since, self._since, self.trouble = self._since, None, ""
        if since is not None:
            LOGGER.warning("InfluxDB is back after %.0f s", time.monotonic() - since, extra={"code": "back"})

    def failed(self, trouble: str) -> None:
        """The server does not take anything for now."""
        self.trouble = trouble
        if self._since is None:
            self._since = time.monotonic()
        LOGGER.warning("InfluxDB takes nothing for now: %s", trouble, extra={"code": "outage"})

    def wait(self, seconds: float) -> bool:
        """Waits before the next attempt, at most until the patience ends; false when it has ended already."""
        begin = time.monotonic()
        since = begin if self._since is None else self._since
        left = min(since + self._retry_time - begin, self._stop.time_left())
        if left <= 0:
            return False
        end = begin + min(seconds, left)
        while time.monotonic() < end:
            if self._stop.asked:
                end = min(end, begin + _STOPPING_WAIT)
            time.sleep(max(0.0, min(_GLANCE, end - time.monotonic())))
        return True
