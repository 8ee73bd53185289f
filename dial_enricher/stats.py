"""The accounts: what became of every line. Pure; written by the pipeline, read by the summary."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dial_enricher.errors import Code
from dial_enricher.event import Event, Exchange
from dial_enricher.schema import ENRICHED, MEASUREMENTS


class AccountsOpen(RuntimeError):
    """A record is neither written, nor ignored, nor dead, or is two of these: a bug of ours."""


@dataclass(slots=True)
class Stats:
    """Counts since the start."""

    lines: int = 0
    records: int = 0
    """More than lines when a shipper sends arrays."""
    written: int = 0
    """Records that became points."""
    points: Counter[str] = field(default_factory=Counter)
    """Points written, by measurement."""
    ignored: Counter[str] = field(default_factory=Counter)
    """Records skipped on purpose, by the shape of their path, or `blank`."""
    dead: Counter[Code] = field(default_factory=Counter)
    """Records in trouble, by code."""
    again: int = 0
    """Records that could not be delivered, and come again."""
    undefined: Counter[str] = field(default_factory=Counter)
    """Requests that an enricher was asked about in vain, by the column that it was to fill.

    A request counts once, however many points it has, and whatever became of them afterwards. It counts only
    while the enricher is on, for requests in its scope (with `chat` those that have a chat id), whose
    measurement has the column: ratings, routes, MCP calls and errors are about no conversation. An enricher
    that is at work has an entry, be it 0.
    """
    notes: Counter[str] = field(default_factory=Counter)
    """What was mended or is unknown, by kind."""
    remarks: list[str] = field(default_factory=list)
    """What else the operator should know of the run, in a few words each."""
    _settled: int = 0

    def read(self, events: Sequence[Event], failures: Mapping[str, int]) -> None:
        """Adds a batch that has been through the stages, and what failed at all of it; fates may be open."""
        self.lines += sum(event.ends_line for event in events)
        self.records += len(events)
        self.notes.update(failures)
        for event in events:
            if event.log is not None and event.log.notes:
                self.notes.update(event.log.notes)
            if self.undefined and event.live and event.exchange is not None:
                self.undefined.update(_asked_in_vain(event.exchange))

    def settle(self, events: Iterable[Event]) -> None:
        """Adds events whose fate is known. Raises AccountsOpen for one that has none, or two."""
        for event in events:
            self._settle(event)
            self._settled += 1
        if self._settled != self.written + self.ignored.total() + self.dead.total() + self.again:
            raise AccountsOpen("records settled are not records written, ignored, dead or to come again")

    def close(self) -> None:
        """Raises AccountsOpen when a record was read whose fate never became known."""
        if self._settled != self.records:
            raise AccountsOpen(f"{self.records - self._settled} records were read and never settled")

    def _settle(self, event: Event) -> None:
        if event.written:
            self.written += 1
            for measurement in event.measurements:
                self.points[measurement] += 1
        if event.ignored is not None:
            self._ignore(event.ignored, 1)
        if event.lost:
            self.again += 1
        elif event.fault is not None:
            self.dead[event.fault.code] += 1

    def _ignore(self, shape: str, times: int) -> None:
        """Shapes are few, but a hostile client could make up paths for ever."""
        known = shape in self.ignored or len(self.ignored) < _MOST_SHAPES
        self.ignored[shape if known else "other"] += times

    def merge(self, other: "Stats") -> None:
        """Adds the accounts of another part of the same run."""
        self.lines += other.lines
        self.records += other.records
        self.written += other.written
        self.again += other.again
        self._settled += other._settled
        self.points.update(other.points)
        self.dead.update(other.dead)
        self.undefined.update(other.undefined)
        self.notes.update(other.notes)
        for shape, times in other.ignored.items():
            self._ignore(shape, times)
        self.remarks += [remark for remark in other.remarks if remark not in self.remarks]

    def summary(self) -> dict[str, int]:
        """The closing figures, in the order they are shown."""
        figures = {
            "lines": self.lines,
            "records": self.records,
            "points": self.points.total(),
            "ignored": self.ignored.total(),
            "dead": self.dead.total(),
        }
        again = {"again": self.again} if self.again else {}
        dead = {f"dead_{code}": self.dead[code] for code in sorted(self.dead)}
        undefined = {
            f"{column}_undefined": count for column, count in sorted(self.undefined.items()) if count
        }
        return figures | dead | again | undefined


def _asked_in_vain(exchange: Exchange) -> list[str]:
    """The columns that enrichers were to fill and did not: those that are None, not those that are absent."""
    columns = exchange.columns
    return [name for name in _ENRICHED_OF[exchange.measurement] if columns.get(name, "") is None]


_ENRICHED_OF = {
    name: [column for column in ENRICHED if column in (*measurement.tags, *measurement.fields)]
    for name, measurement in MEASUREMENTS.items()
}
_MOST_SHAPES = 100
