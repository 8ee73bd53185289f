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

_OnDead = Callable[[Event], None]


class EnricherSettings(TypedDict, total=False):
    """What can be set: named as on the command line, with its defaults.

    Where there may be several values a single text is one: `where="deployment=gpt-4o"`.
    """

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
    on_dead: _OnDead | None
    """Gets each event that could not be used, with its `fault`."""


def enrich_lines(lines: Iterable[bytes], **settings: Unpack[EnricherSettings]) -> Iterator[bytes]:
    """The points of DIAL log lines, rendered: each ends with its only newline. In input order.

    An element of `lines` is one line as bytes, its newline may be missing; packed files are not unpacked.

    For those who bring their own engine: a plain function of a module, which can be pickled, as can a
    `functools.partial` of it; `on_dead` then has to be one as well. The settings are those of `Enricher`.

    >>> rdd.mapPartitions(functools.partial(enrich_lines, topics="off"))

    Settings are checked at once: raises SettingError, and TypeError for one that does not exist. Nothing else
    happens before the first point is asked for. Then the models are loaded, which may raise SettingError too:
    once for each call, so give it long pieces of a log. Takes a batch of lines at a time.
    """
    return _enriched(lines, *_read("enrich_lines", settings))


def _enriched(lines: Iterable[bytes], settings: Settings, on_dead: _OnDead | None) -> Iterator[bytes]:
    for event in _Stream(settings, on_dead).events(lines, source=""):
        yield from event.output


class Enricher:
    """Enriches DIAL log lines, the way the command line does, without any global state.

    >>> enricher = Enricher(language="off")
    >>> for point in enricher.enrich(open("aidial-2026-11-20.0.log", "rb")):
    ...     send(point)

    An element of the lines is one line as bytes, its newline may be missing; packed files are not unpacked.
    `EnricherSettings` has the settings. One enricher serves one thread. Raises SettingError for a value that
    makes no sense, and TypeError for a setting that does not exist.
    """

    def __init__(self, **settings: Unpack[EnricherSettings]) -> None:
        self._stream = _Stream(*_read("Enricher", settings))

    @property
    def stats(self) -> Stats:
        """The accounts of all lines so far."""
        return self._stream.stats

    def enrich(self, lines: Iterable[bytes], source: str = "") -> Iterator[bytes]:
        """The points of the lines, rendered: each ends with its only newline. In input order."""
        for event in self._stream.events(lines, source):
            yield from event.output

    def points(self, lines: Iterable[bytes], source: str = "") -> Iterator[Point]:
        """The points of the lines, as objects. In input order."""
        for event in self._stream.events(lines, source):
            yield from event.points


class _Stream:
    """A pipeline that is fed line by line. Raises SettingError."""

    def __init__(self, settings: Settings, on_dead: _OnDead | None) -> None:
        self._settings = settings
        self._outcome = _Outcome(on_dead)
        self._pipeline = assemble(settings, sink=self._outcome, graveyard=self._outcome)
        self.stats = self._pipeline.stats

    def events(self, lines: Iterable[bytes], source: str) -> Iterator[Event]:
        numbered = (self._line(raw, source, number) for number, raw in enumerate(lines, 1))
        while batch := list(islice(numbered, self._settings.batch_lines)):
            self._pipeline.process(batch)
            yield from self._outcome.take()

    def _line(self, raw: bytes, source: str, number: int) -> Line:
        if not isinstance(raw, bytes):
            raise TypeError(f"a line must be bytes, not {type(raw).__name__}: open files in mode 'rb'")
        raw = raw.removesuffix(b"\n")
        longest = self._settings.max_line_bytes
        if len(raw) <= longest:
            return Line(raw, source, number)
        return Line(raw[:longest], source, number, Excess(len(raw), sha256(raw).hexdigest()))


def _read(name: str, settings: EnricherSettings) -> tuple[Settings, _OnDead | None]:
    """The settings of a function or class of this name, checked. Raises SettingError, TypeError."""
    if strange := settings.keys() - EnricherSettings.__annotations__.keys():
        raise TypeError(f"{name} has no setting {', '.join(sorted(strange))}")
    on_dead = settings.pop("on_dead", None)
    return Settings(**{key: _READERS.get(key, _as_it_is)(value) for key, value in settings.items()}), on_dead


def _as_it_is(value: Any) -> Any:
    return value


def _several(values: Sequence[str]) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(values)


def _rates(rates: Mapping[str, Mapping[str, Any]] | None) -> Rates:
    return parse_rates(jsontext.dumps(rates), "rates") if rates else {}


_READERS: dict[str, Callable[[Any], Any]] = {
    "where": _several,
    "format": partial(chosen, Format, "format"),
    "schema": partial(chosen, Profile, "schema"),
    "tag": _several,
    "no_tag": _several,
    "language": partial(chosen, Scope, "language"),
    "languages": _several,
    "language_accuracy": partial(chosen, Accuracy, "language_accuracy"),
    "topics": partial(chosen, Scope, "topics"),
    "rates": _rates,
}
"""What makes of a setting what `Settings` has."""


class _Outcome:
    """Sink and graveyard in one: hands the written events on."""

    def __init__(self, on_dead: _OnDead | None) -> None:
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
