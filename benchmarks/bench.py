"""What the program costs, each figure beside a baseline of the same run: `make bench`.

Every process that is measured is a new one. Those that are compared take turns, so that a neighbour on the
machine disturbs both; what counts is the median of the pairs. Their range stands beside it: a goal inside the
range is neither safely met nor safely missed.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from benchmarks.chart import chart
from benchmarks.figures import HEAD, Figure
from benchmarks.growth import growth, small_lines
from benchmarks.history import Report, keep
from benchmarks.latency import leaving, live, starts
from benchmarks.logs import FULL, QUICK, WARM_UP, Size, generated_log, head
from benchmarks.memory import peaks
from benchmarks.place import libraries, machine, now, revision
from benchmarks.processes import MB, ROOT
from benchmarks.speed import TWENTY, beside_floor, beside_reference, cores, databases, floor_microseconds

RESULTS = ROOT / "benchmarks" / "results"
STAGED = 6_000
"""Lines for the stages."""
WAYS: dict[str, tuple[str, ...]] = {
    "75 languages, topics": (),
    "20 languages, topics": ("--languages", TWENTY),
    "language and topics off": ("--scope", "off"),
}


def measured(parts: Iterable[Callable[[], list[Figure]]]) -> list[Figure]:
    """The figures of all parts, printed as they come."""
    figures = []
    for part in parts:
        for figure in part():
            print(figure.row(), flush=True)
            figures.append(figure)
    return figures


def stages(file: Path) -> dict[str, dict[str, float]]:
    """CPU time by stage, for each way to run the program; each in a process of its own."""
    found = {}
    for name, options in WAYS.items():
        command = (sys.executable, "-m", "benchmarks.stages", str(file), *options)
        said = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
        found[name] = json.loads(said)["stages"]
    return found


def report_of(size: Size) -> Report:
    """Measure everything."""
    file = generated_log("production", size.lines)
    log = (
        f"{size.lines:,} lines, {file.stat().st_size / MB:,.0f} MB, "
        f"of which the first {WARM_UP} count as the start; the 20 languages are {TWENTY}"
    )
    place = machine() | libraries()
    print(", ".join(f"{name} {value}" for name, value in place.items()), f"log {log}", sep="; ", end="\n\n")
    print(HEAD, flush=True)
    figures = measured(
        (
            partial(beside_reference, size, file),
            partial(beside_floor, size, file),
            partial(cores, size, file),
        )
    )
    growing, curve = growth(size, file)
    figures += measured(
        (
            lambda: growing,
            partial(small_lines, size),
            partial(peaks, file),
            partial(starts, size),
            partial(live, size, file),
            partial(databases, size, file),
            leaving,
        )
    )
    return Report(
        date=now(),
        commit=revision(),
        machine=machine(),
        libraries=libraries(),
        log=log,
        figures=figures,
        stages=stages(head(file, min(STAGED, size.lines))),
        floor=floor_microseconds(size, file),
        lines=curve.lines,
        seconds=curve.seconds,
    )


def main() -> None:
    """Measure, print a table, and keep it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench", description="Measure dial-enricher.")
    parser.add_argument("--quick", action="store_true", help="a small run, for a look: nothing is kept")
    parser.add_argument(
        "--results", type=Path, metavar="FOLDER", help=f"default: {RESULTS.relative_to(ROOT)}"
    )
    arguments = parser.parse_args()
    report = report_of(QUICK if arguments.quick else FULL)
    folder = arguments.results or (None if arguments.quick else RESULTS)
    if folder:
        keep(report, folder)
        (folder / "speed.svg").write_text(chart(report), "utf-8")


if __name__ == "__main__":
    main()
