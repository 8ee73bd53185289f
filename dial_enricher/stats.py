"""The accounts: what became of every line. Pure; written by the pipeline, read by the summary."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dial_enricher.errors import Code
from dial_enricher.event import Event


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
    notes: Counter[str] = field(default_factory=Counter)
    """What was mended or is unknown, by kind."""
    remarks: list[str] = field(default_factory=list)
    """What else the operator should know of the run, in a few words each."""
    _settled: int = 0

    def read(self, lines: int, events: Sequence[Event]) -> None:
        """Adds a batch that has been through the stages; its fate may still be open."""
        self.lines += lines
        self.records += len(events)
        for event in events:
            if event.log is not None and event.log.notes:
                self.notes.update(event.log.notes)

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
            self.points.update(event.measurements)
        if event.ignored is not None:
            # Shapes are few, but a hostile client could make up paths for ever.
            known = event.ignored in self.ignored or len(self.ignored) < _MOST_SHAPES
            self.ignored[event.ignored if known else "other"] += 1
        if event.lost:
            self.again += 1
        elif event.fault is not None:
            self.dead[event.fault.code] += 1

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
        return figures | {f"dead_{code}": self.dead[code] for code in sorted(self.dead)} | again


_MOST_SHAPES = 100
