"""The pipeline for Python programs: lines in, points out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any, Literal

from dial_enricher import jsontext
from dial_enricher.assemble import assemble
from dial_enricher.event import Event, Excess, Line, Point
from dial_enricher.profiles import Profile
from dial_enricher.rates import parse_rates
from dial_enricher.settings import Accuracy, Format, Scope, Settings, chosen
from dial_enricher.stats import Stats


class Enricher:
    """Enriches DIAL log lines, the way the command line does, without any global state.

    >>> enricher = Enricher(language="off")
    >>> for point in enricher.enrich(open("aidial-2026-11-20.0.log", "rb")):
    ...     send(point)

    `rates` is what MODEL_RATES holds, as a mapping. `on_dead` gets each event that could not be used, with
    its `fault`. One enricher serves one thread. Raises SettingError for a value that makes no sense.
    """

    def __init__(
        self,
        *,
        format: Literal["lp", "json"] = "lp",
        schema: Literal["dial", "lean"] = "dial",
        tag: Sequence[str] = (),
        no_tag: Sequence[str] = (),
        language: Literal["chat", "all", "off"] = "chat",
        languages: Sequence[str] = (),
        language_accuracy: Literal["low", "high"] = "low",
        topics: Literal["chat", "all", "off"] = "chat",
        topic_model: str | None = None,
        topic_embeddings_model: str | None = None,
        rates: Mapping[str, Mapping[str, Any]] | None = None,
        max_line_bytes: int = Settings.max_line_bytes,
        batch_lines: int = Settings.batch_lines,
        on_dead: Callable[[Event], None] | None = None,
    ) -> None:
        settings = Settings(
            format=chosen(Format, "format", format),
            schema=chosen(Profile, "schema", schema),
            tag=tuple(tag),
            no_tag=tuple(no_tag),
            language=chosen(Scope, "language", language),
            languages=tuple(languages),
            language_accuracy=chosen(Accuracy, "language_accuracy", language_accuracy),
            topics=chosen(Scope, "topics", topics),
            topic_model=topic_model,
            topic_embeddings_model=topic_embeddings_model,
            rates=parse_rates(jsontext.dumps(rates), "rates") if rates else {},
            max_line_bytes=max_line_bytes,
            batch_lines=batch_lines,
        )
        self._settings = settings
        self._outcome = _Outcome(on_dead)
        self._pipeline = assemble(settings, sink=self._outcome, graveyard=self._outcome)

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
