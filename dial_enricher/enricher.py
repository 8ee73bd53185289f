"""The pipeline for Python programs: lines in, points out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import Any, Literal, TypedDict, Unpack

from dial_enricher import jsontext
from dial_enricher.assemble import assemble
from dial_enricher.event import Event, Excess, Line, Point
from dial_enricher.profiles import Profile
from dial_enricher.rates import Rates, parse_rates
from dial_enricher.settings import Accuracy, Format, Scope, Settings, chosen
from dial_enricher.stats import Stats


class EnricherSettings(TypedDict, total=False):
    """What can be set: named as on the command line, with its defaults."""

    since: str | None
    until: str | None
    where: Sequence[str]
    format: Literal["lp", "json"]
    schema: Literal["dial", "lean"]
    tag: Sequence[str]
    no_tag: Sequence[str]
    language: Literal["chat", "all", "off"]
    languages: Sequence[str]
    language_accuracy: Literal["low", "high"]
    topics: Literal["chat", "all", "off"]
    topic_model: str | None
    topic_embeddings_model: str | None
    rates: Mapping[str, Mapping[str, Any]] | None
    """What MODEL_RATES holds, as a mapping."""
    max_line_bytes: int
    batch_lines: int
    on_dead: Callable[[Event], None] | None
    """Gets each event that could not be used, with its `fault`."""


def enrich_lines(lines: Iterable[bytes], **settings: Unpack[EnricherSettings]) -> Iterator[bytes]:
    """The points of DIAL log lines, rendered: each ends with its only newline. In input order.

    For those who bring their own engine: a plain function of a module, which can be pickled, as can a
    `functools.partial` of it; `on_dead` then has to be one as well. The settings are those of `Enricher`.

    >>> rdd.mapPartitions(functools.partial(enrich_lines, topics="off"))

    Nothing happens before the first point is asked for, then the models are loaded: once for each call, so
    give it long pieces of a log. Takes a batch of lines at a time. Raises SettingError, and TypeError for a
    setting that does not exist.
    """
    yield from Enricher(**settings).enrich(lines)


class Enricher:
    """Enriches DIAL log lines, the way the command line does, without any global state.

    >>> enricher = Enricher(language="off")
    >>> for point in enricher.enrich(open("aidial-2026-11-20.0.log", "rb")):
    ...     send(point)

    `EnricherSettings` has the settings. One enricher serves one thread. Raises SettingError for a value that
    makes no sense.
    """

    def __init__(self, **settings: Unpack[EnricherSettings]) -> None:
        if strange := settings.keys() - EnricherSettings.__annotations__.keys():
            raise TypeError(f"Enricher has no setting {', '.join(sorted(strange))}")
        on_dead = settings.pop("on_dead", None)
        read = {name: _READERS.get(name, _as_it_is)(value) for name, value in settings.items()}
        self._settings = Settings(**read)
        self._outcome = _Outcome(on_dead)
        self._pipeline = assemble(self._settings, sink=self._outcome, graveyard=self._outcome)

    @property
    def stats(self) -> Stats:
        """The accounts of all lines so far."""
        return self._pipeline.stats

    def enrich(self, lines: Iterable[bytes], source: str = "") -> Iterator[bytes]:
        """The points of the lines, rendered: each ends with its only newline. In input order."""
        for event in self._events(lines, source):
            yield from event.output

    def points(self, lines: Iterable[bytes], source: str = "") -> Iterator[Point]:
        """The points of the lines, as objects. In input order."""
        for event in self._events(lines, source):
            yield from event.points

    def _events(self, lines: Iterable[bytes], source: str) -> Iterator[Event]:
        numbered = (self._line(raw, source, number) for number, raw in enumerate(lines, 1))
        while batch := list(islice(numbered, self._settings.batch_lines)):
            self._pipeline.process(batch)
            yield from self._outcome.take()

    def _line(self, raw: bytes, source: str, number: int) -> Line:
        raw = raw.removesuffix(b"\n")
        longest = self._settings.max_line_bytes
        if len(raw) <= longest:
            return Line(raw, source, number)
        return Line(raw[:longest], source, number, Excess(len(raw), sha256(raw).hexdigest()))


def _as_it_is(value: Any) -> Any:
    return value


def _rates(rates: Mapping[str, Mapping[str, Any]] | None) -> Rates:
    return parse_rates(jsontext.dumps(rates), "rates") if rates else {}


_READERS: dict[str, Callable[[Any], Any]] = {
    "where": tuple,
    "format": partial(chosen, Format, "format"),
    "schema": partial(chosen, Profile, "schema"),
    "tag": tuple,
    "no_tag": tuple,
    "language": partial(chosen, Scope, "language"),
    "languages": tuple,
    "language_accuracy": partial(chosen, Accuracy, "language_accuracy"),
    "topics": partial(chosen, Scope, "topics"),
    "rates": _rates,
}
"""What makes of a setting what `Settings` has."""


class _Outcome:
    """Sink and graveyard in one: hands the written events on."""

    def __init__(self, on_dead: Callable[[Event], None] | None) -> None:
        self._on_dead = on_dead
        self._events: list[Event] = []

    def write(self, events: list[Event]) -> list[Event]:
        live = [event for event in events if event.live]
        for event in live:
            event.written = True
        self._events += live
        return events

    def flush(self) -> list[Event]:
        return []

    def bury(self, events: Sequence[Event]) -> None:
        if self._on_dead is not None:
            for event in events:
                self._on_dead(event)

    def take(self) -> list[Event]:
        events, self._events = self._events, []
        return events
