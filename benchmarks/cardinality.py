"""What the tags of the schema cost a database: `python -m benchmarks.cardinality`.

The same requests are written to InfluxDB 1.x once for each choice of tags, to a new server each time. Points
that are stored are counted again, so that a choice that loses some would show.
"""

import argparse
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from benchmarks.company import PEOPLE, PROJECTS, TITLES, CompanyLog
from dial_enricher import lineprotocol
from dial_enricher.assemble import assemble
from dial_enricher.event import Event, Line
from dial_enricher.points import PointBuilder
from dial_enricher.profiles import Profile, profile
from dial_enricher.schema import Measurement
from dial_enricher.settings import Settings
from tests.influxd import Influx, influxd, wait_for

SEED = 1
REQUESTS = 20_000
MIB = 1024 * 1024
BLOCK = 512
"""Bytes of the blocks that the system counts in."""
DATABASE = "dial"
TAGGED = (
    "error_type",
    "mcp_method",
    "route_path",
    "upstream",
    "execution_path",
    "user_hash",
    "chat_id",
    "trace_id",
    "response_id",
)
"""Tags that `lean` lacks."""
UNTAGGED = ("topic", "language", "title")
"""Tags that multiply the series of `lean` most."""
SERVER = {
    "INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION": "1s",
    "INFLUXDB_DATA_MAX_VALUES_PER_TAG": "0",
    "INFLUXDB_DATA_MAX_SERIES_PER_DATABASE": "0",
}
"""Points reach their final files soon, and no number of series is refused."""

Measurements = Mapping[str, Measurement]


def choices() -> dict[str, Measurements]:
    """The choices of tags, by the options that make them."""
    return {
        "`--schema dial`": profile(Profile.DIAL),
        "`--schema lean`": profile(Profile.LEAN),
        **{f"`--schema lean --tag {name}`": profile(Profile.LEAN, tags=[name]) for name in TAGGED},
        **{f"`--schema lean --no-tag {name}`": profile(Profile.LEAN, no_tags=[name]) for name in UNTAGGED},
    }


class Split:
    """A sink that builds the points of every choice anew and writes them to a file for each."""

    def __init__(self, outputs: Sequence[tuple[PointBuilder, IO[bytes]]]) -> None:
        self._outputs = outputs

    def write(self, events: list[Event]) -> list[Event]:
        """Take a batch."""
        for event in events:
            if event.live:
                self._split(event)
        return events

    def _split(self, event: Event) -> None:
        for builder, output in self._outputs:
            event.points = []
            builder.build(event)
            output.writelines(map(lineprotocol.render, event.points))
        event.written = True

    def flush(self) -> list[Event]:
        """Keep nothing back."""
        return []

    def bury(self, events: Sequence[Event]) -> None:
        """Forget what is dead: the generator writes a few such lines on purpose."""


def write_points(requests: int, files: Mapping[Path, Measurements]) -> None:
    """Write the points of so many requests to a file for each choice of tags."""
    with ExitStack() as stack:
        sink = Split(
            [(PointBuilder(tags), stack.enter_context(path.open("wb"))) for path, tags in files.items()]
        )
        assemble(Settings(), sink, sink).run(_batches(CompanyLog(SEED).lines(requests)))


def _batches(lines: Iterable[bytes]) -> Iterator[list[Line]]:
    numbered = (Line(raw.removesuffix(b"\n"), "generated", number) for number, raw in enumerate(lines, 1))
    while batch := list(islice(numbered, Settings.batch_lines)):
        yield batch


@dataclass(slots=True, frozen=True)
class Stored:
    """What a server made of the points. Sizes are in bytes."""

    written: int
    points: int
    series: int
    heap: int
    """Memory that is in use when the points are no longer kept in it."""
    disk: int


def store(points: bytes, measurements: Measurements) -> Stored:
    """Write points to a server of their own."""
    with TemporaryDirectory() as name, influxd(Path(name)) as influx:
        empty = _heap(influx)
        influx.write(influx.database(DATABASE), points)
        wait_for(lambda: _size(Path(name) / "wal") == 0)
        return Stored(
            written=points.count(b"\n"),
            points=_count(influx, measurements),
            series=sum(row["count"] for row in influx.query(DATABASE, "SHOW SERIES EXACT CARDINALITY")),
            heap=_heap(influx) - empty,
            disk=_size(Path(name) / "data"),
        )


def _count(influx: Influx, measurements: Measurements) -> int:
    """The points of all measurements, counted by a field that each of them has."""
    found = 0
    for name in influx.measurements(DATABASE):
        field = next(field for field in measurements[name].fields if field not in measurements[name].sparse)
        found += sum(row["count"] for row in influx.query(DATABASE, f'SELECT count("{field}") FROM "{name}"'))
    return found


def _heap(influx: Influx) -> int:
    influx.ask("/debug/pprof/heap?gc=1")
    (row,) = influx.query("", "SHOW STATS FOR 'runtime'")
    return int(row["HeapAlloc"])


def _size(directory: Path) -> int:
    """Bytes that files take; the holes in those that a server lays out beforehand take none."""
    return sum(path.stat().st_blocks * BLOCK for path in directory.rglob("*") if path.is_file())


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cardinality", description="Count series.")
    parser.add_argument("--requests", type=int, default=REQUESTS, metavar="N", help="how many to write")
    requests: int = parser.parse_args().requests
    os.environ |= SERVER
    print(f"{requests:,} requests of {PEOPLE:,} people, {TITLES} titles, {PROJECTS} projects", end="\n\n")
    print("| tags | points written | stored | series | memory, MiB | disk, MiB |")
    print("|---|---:|---:|---:|---:|---:|")
    with TemporaryDirectory() as directory:
        files = {Path(directory) / str(number): tags for number, tags in enumerate(choices().values())}
        write_points(requests, files)
        for name, (file, measurements) in zip(choices(), files.items(), strict=True):
            stored = store(file.read_bytes(), measurements)
            print(
                f"| {name} | {stored.written:,} | {stored.points:,} | {stored.series:,} "
                f"| {stored.heap / MIB:.1f} | {stored.disk / MIB:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
