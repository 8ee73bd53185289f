"""Events into packages of lines, and packages to InfluxDB: two under way while the next one is made."""

import time
from collections import deque
from dataclasses import dataclass, field
from threading import Event as Signal
from threading import Thread

from dial_enricher.errors import Code, where
from dial_enricher.event import Event, Fault
from dial_enricher.signals import Stop
from dial_enricher.sinks.influx.delivery import MOST_BYTES, MOST_LINES, Delivery, Outcome

_STAGE = "write"
_UNDER_WAY = 2
_MOST_RAW_BYTES = 8 * 1024 * 1024
"""Of the records that a package keeps for dead letters: times three packages, the memory of an outage."""
_NO_TIME = "no answer before the program had to stop"
_GLANCE = 0.05
"""Seconds between two looks at whether the time for stopping is over."""


@dataclass(slots=True)
class _Package:
    """Events that travel together, those without points too, so that input order is kept."""

    born: float
    events: list[Event] = field(default_factory=list)
    lines: int = 0
    bytes: int = 0
    raw_bytes: int = 0

    def add(self, event: Event) -> None:
        self.events.append(event)
        self.raw_bytes += len(event.raw)
        if event.live:
            self.lines += len(event.output)
            self.bytes += sum(map(len, event.output))

    def has_room_for(self, event: Event) -> bool:
        """Whether an event fits in; in an empty package every one does."""
        return not self.events or (
            max(self.lines, len(self.events)) < MOST_LINES
            and self.bytes < MOST_BYTES
            and self.raw_bytes + len(event.raw) <= _MOST_RAW_BYTES
        )


class _Journey:
    """A package under way, in a thread of its own: a server that hangs must not keep the program."""

    def __init__(self, package: _Package, delivery: Delivery) -> None:
        self.events = package.events
        self.owners = [event for event in package.events if event.live for _ in event.output]
        """The event of each line."""
        self._lines = [line for event in package.events if event.live for line in event.output]
        self._delivery = delivery
        self._arrived = Signal()
        self._outcome = Outcome.open(len(self._lines))
        if self._lines:
            Thread(target=self._travel, daemon=True).start()
        else:
            self._arrived.set()

    def _travel(self) -> None:
        try:
            self._delivery.deliver(self._lines, self._outcome)
        except Exception as error:
            self._outcome.bug = self._outcome.trouble = f"a bug, please report it: {where(error)}"
        self._arrived.set()

    def outcome(self, stop: Stop) -> Outcome:
        """What became of the package, or has become of it when the time for stopping is over."""
        while not self._arrived.wait(_GLANCE):
            if stop.time_left() <= 0:
                return self._outcome.so_far(self._delivery.patience.trouble or stop.reason or _NO_TIME)
        return self._outcome


class InfluxSink:
    """Writes to InfluxDB. An event is settled when the server has confirmed or refused each of its points.

    `max_age` is how many seconds a package waits for more while the input does not pause.
    """

    def __init__(self, delivery: Delivery, stop: Stop, max_age: float) -> None:
        self._delivery = delivery
        self._stop = stop
        self._max_age = max_age
        self._package = _Package(time.monotonic())
        self._under_way: deque[_Journey] = deque()

    def write(self, events: list[Event]) -> list[Event]:
        settled: list[Event] = []
        for event in events:
            event.release()
            if not self._package.has_room_for(event):
                settled += self._dispatch()
            self._package.add(event)
        if time.monotonic() - self._package.born >= self._max_age:
            settled += self._dispatch()
        return settled

    def flush(self) -> list[Event]:
        settled = self._dispatch()
        while self._under_way:
            settled += self._arrival()
        return settled

    def _dispatch(self) -> list[Event]:
        """Sends the package off, and settles the oldest one when too many are under way."""
        settled = self._arrival() if len(self._under_way) >= _UNDER_WAY else []
        if self._package.events:
            self._under_way.append(_Journey(self._package, self._delivery))
        self._package = _Package(time.monotonic())  # its age counts from when it can be filled
        return settled

    def _arrival(self) -> list[Event]:
        """Waits for the oldest package under way, and settles its events."""
        journey = self._under_way.popleft()
        outcome = journey.outcome(self._stop)
        for place, said in outcome.refused.items():
            journey.owners[place].fault = Fault(Code.REJECTED, _STAGE, said)
        for place in outcome.undelivered:
            journey.owners[place].fault = Fault(Code.UNDELIVERED, _STAGE, outcome.trouble)
        for event in journey.events:
            event.written = event.live
        if outcome.bug:
            self._stop.because(outcome.bug)
        if outcome.misconfigured:
            self._stop.because(
                f"InfluxDB cannot be written to with these settings: {outcome.trouble}", misconfigured=True
            )
        return journey.events
