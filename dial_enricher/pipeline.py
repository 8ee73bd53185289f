"""The whole program in one place.

    lines -> decode -> understand -> select -> enrich -> price -> point -> render -> bury -> write -> account

A batch of lines becomes events, in input order. Each stage fills in its part of every event that is still
alive: one with a fault is dead from there on, one with a reason to be ignored is left alone. A sink may keep
events until it knows their fate; then they are settled. In the end each event was written, ignored on purpose
or buried, and the accounts are checked to say so.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dial_enricher.endpoints import understand
from dial_enricher.enrich.work import Done
from dial_enricher.errors import BadRecord, Code, where
from dial_enricher.event import Event, Fault, Line, Point
from dial_enricher.garbage import seldom_collected
from dial_enricher.points import PointBuilder
from dial_enricher.pricing import Pricing
from dial_enricher.selection import Selection
from dial_enricher.stats import Stats


class Enrichment(Protocol):
    """Who adds what is found out: this process at once, or others, which may take their time."""

    def take(self, events: list[Event]) -> Iterator[Done]: ...
    def rest(self) -> Iterator[Done]: ...
    def close(self) -> None: ...


class Sink(Protocol):
    def write(self, events: list[Event]) -> list[Event]: ...
    def flush(self) -> list[Event]: ...


class Graveyard(Protocol):
    def bury(self, events: Sequence[Event]) -> None: ...


class Witness(Protocol):
    """Who wants to know what is settled: a checkpoint, or a shipper that waits for an answer."""

    def settled(self, events: Sequence[Event]) -> None: ...
    def rest(self) -> None:
        """Nothing more is to be settled for now."""


class Nobody:
    """Nobody wants to know."""

    def settled(self, events: Sequence[Event]) -> None:
        pass

    def rest(self) -> None:
        pass


@dataclass(slots=True)
class Pipeline:
    """The parts that Settings chose, in the order of the work."""

    decode: Callable[[Line], list[Event]]
    enrichment: Enrichment
    pricing: Pricing
    builder: PointBuilder
    render: Callable[[Point], bytes]
    sink: Sink
    graveyard: Graveyard
    stats: Stats
    witness: Witness = field(default_factory=Nobody)
    selection: Selection | None = None
    """None where every record is wanted."""

    def run(self, batches: Iterable[list[Line]]) -> None:
        """Takes every batch through all stages; an empty one says that the input pauses.

        Raises SinkClosed, SinkDown.
        """
        try:
            for lines in seldom_collected(batches):
                if lines:
                    self.process(lines)
                else:
                    self._rest()
                    self.witness.rest()
            self._rest()
            self.stats.close()
        finally:
            self.enrichment.close()
            self.witness.rest()

    def process(self, lines: Sequence[Line]) -> None:
        """Takes one batch through all stages, or as far as others enrich it, and what they are done with."""
        events = [event for line in lines for event in self._decode(line)]
        _each("understand", understand, events)
        if self.selection is not None:
            _each("select", self.selection.sift, events)
        self._finish(self.enrichment.take(events))

    def _finish(self, batches: Iterable[Done]) -> None:
        """Takes batches that are enriched through the other stages."""
        for events, failures in batches:
            _each("price", self.pricing.price, events)
            _each("point", self.builder.build, events)
            _each("render", self._render, events)
            self.stats.read(events, failures)
            self._bury(events)
            self._settle(self.sink.write(events))

    def _rest(self) -> None:
        self._finish(self.enrichment.rest())
        self._settle(self.sink.flush())

    def _settle(self, events: list[Event]) -> None:
        self._bury(events)
        self.stats.settle(events)
        self.witness.settled(events)

    def _bury(self, events: list[Event]) -> None:
        """Hands over what died, in the stages or in the sink; a sink need not keep what is buried."""
        dead = [event for event in events if event.fault is not None and not event.buried]
        self.graveyard.bury(dead)
        for event in dead:
            event.buried = True
            event.release()

    def _decode(self, line: Line) -> list[Event]:
        try:
            events = self.decode(line)
        except Exception as error:
            events = [Event(line.raw, line, fault=_internal("decode", error))]
        events[-1].ends_line = True
        return events

    def _render(self, event: Event) -> None:
        for point in event.points:
            event.measurements.append(point.measurement)
            event.output.append(self.render(point))


def _live(events: list[Event]) -> list[Event]:
    return [event for event in events if event.live]


def _each(stage: str, work: Callable[[Event], None], events: list[Event]) -> None:
    """Does a stage's work for every live event; what goes wrong stays with the event."""
    for event in _live(events):
        try:
            work(event)
        except BadRecord as problem:
            event.fault = Fault(problem.code, stage, problem.detail)
        except Exception as error:
            event.fault = _internal(stage, error)


def _internal(stage: str, error: Exception) -> Fault:
    return Fault(Code.INTERNAL, stage, where(error))
