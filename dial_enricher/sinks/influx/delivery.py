"""One package of lines on its way to the server: sent, tried again, halved, its refused lines found.

Sending a line twice changes nothing in InfluxDB, so whenever it is unsure whether a line was stored it is
sent once more. What the server did with each line is known in the end, or the line is undelivered.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Protocol

from dial_enricher.errors import SettingError
from dial_enricher.sinks.influx.fates import (
    Answer,
    Fate,
    dropped,
    fate,
    refused_lines,
    retry_after,
    words,
)
from dial_enricher.sinks.influx.patience import Patience, backoff

MOST_LINES = 5000
MOST_BYTES = 5 * 1000 * 1000
"""Of one request, before it is packed: what InfluxDB's makers advise for versions 1 and 2."""


class Writer(Protocol):
    def write(self, lines: bytes) -> Answer: ...


@dataclass(slots=True)
class Outcome:
    """What became of a package, by the places of its lines. A line that stands nowhere is stored."""

    undelivered: set[int] = field(default_factory=set)
    """The lines whose fate is not known: at first all, in the end none."""
    refused: dict[int, str] = field(default_factory=dict)
    """The server's words for each."""
    trouble: str = ""
    """Why lines are undelivered."""
    misconfigured: bool = False
    """The trouble will last until somebody changes a setting."""
    bug: str = ""
    """Why the program should not go on: the trouble is its own."""

    @classmethod
    def open(cls, count: int) -> "Outcome":
        """The outcome of so many lines before any is sent."""
        return cls(set(range(count)))

    def stored(self, places: Iterable[int]) -> None:
        self.undelivered.difference_update(places)

    def refuse(self, words_of: dict[int, str]) -> None:
        self.refused.update(words_of)
        self.undelivered.difference_update(words_of)

    def so_far(self, trouble: str) -> "Outcome":
        """A copy of what is known by now, while another thread is at work on this one.

        A line leaves `undelivered` after it came to `refused`: copied in this order, none is in neither.
        """
        undelivered, refused = self.undelivered.copy(), self.refused.copy()
        return Outcome(undelivered - refused.keys(), refused, trouble)


class GaveUp(Exception):
    """The patience ended."""


@dataclass(slots=True)
class Delivery:
    """Brings packages to a server."""

    server: Writer
    patience: Patience

    def deliver(self, lines: Sequence[bytes], outcome: Outcome) -> None:
        """Sends the lines until the fate of each is known, and notes it as soon as it is."""
        todo = list(_requests(lines))
        while todo:
            places = todo.pop()
            try:
                answer = self._send([lines[place] for place in places])
            except (GaveUp, SettingError) as error:
                outcome.trouble = str(error)
                outcome.misconfigured = isinstance(error, SettingError)
                return
            todo += _left_over(answer, places, outcome)

    def _send(self, lines: list[bytes]) -> Answer:
        """Sends lines until the server says what it thinks of them.

        Raises GaveUp when it stays away for too long, SettingError when it wants other settings.
        """
        body = b"".join(lines)
        for attempt in count():
            answer = self.server.write(body)
            match fate(answer):
                case Fate.MISCONFIGURED:
                    raise SettingError(_complaint(answer))
                case Fate.AWAY:
                    self.patience.failed(words(answer))
                case _:
                    self.patience.succeeded()
                    return answer
            if not self.patience.wait(max(backoff(attempt), retry_after(answer, datetime.now(UTC)))):
                raise GaveUp(words(answer))
        raise AssertionError("counting never ends")


def _complaint(answer: Answer) -> str:
    said = words(answer)
    return f"{said} (HTTP {answer.status})" if answer.status > 0 and str(answer.status) not in said else said


def _requests(lines: Sequence[bytes]) -> Iterator[list[int]]:
    """The places of the lines, in requests of bounded size.

    By measurement: a field of another type concerns one measurement, whose lines are then refused together.
    """
    places: list[int] = []
    size = 0
    for place in sorted(range(len(lines)), key=lambda place: lines[place].partition(b",")[0]):
        if places and (len(places) >= MOST_LINES or size + len(lines[place]) > MOST_BYTES):
            yield places
            places, size = [], 0
        places.append(place)
        size += len(lines[place])
    if places:
        yield places


def _left_over(answer: Answer, places: list[int], outcome: Outcome) -> list[list[int]]:
    """What has to be sent again, in smaller requests, to learn the fate of each line; notes what is known."""
    match fate(answer):
        case Fate.STORED:
            outcome.stored(places)
            return []
        case Fate.REFUSED if named := refused_lines(answer, len(places)):
            outcome.refuse({places[number]: said for number, said in named.items()})
            rest = [place for place in places if place not in outcome.refused]
            return [rest] if rest else []
        case Fate.REFUSED if dropped(answer) == len(places):
            outcome.refuse(dict.fromkeys(places, words(answer)))
            return []
        case _:  # refused or too large: halves tell more
            pass
    if len(places) == 1:
        outcome.refuse({places[0]: words(answer)})
        return []
    middle = len(places) // 2
    return [places[middle:], places[:middle]]
