"""What more lines cost: time, and memory."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.figures import Figure, Goal, figure, in_turn
from benchmarks.logs import SAMPLE, WARM_UP, Size, head
from benchmarks.processes import ALL_ON, MB, PLAIN, Cost, run
from benchmarks.speed import start

TENTHS = (1, 2, 4, 10)
FLAT = Goal("<=", 1.1)


class Curve(NamedTuple):
    """For the chart: seconds by the clock for so many lines, without start."""

    lines: list[int]
    seconds: list[float]


def growth(size: Size, file: Path) -> tuple[list[Figure], Curve]:
    """Ten times the lines, everything on; all lines differ, the short run has the first of the long one."""
    counts = [size.counted * tenths // 10 for tenths in TENTHS]
    logs = [head(file, WARM_UP + lines) for lines in counts]
    begin = start(file, ALL_ON)[0].wall
    rounds = in_turn(size.rounds, *(partial(run, [*ALL_ON, log]) for log in logs))
    times = [(costs[-1].wall - begin, costs[0].wall - begin) for costs in rounds]
    peaks = [(costs[-1].rss / MB, costs[0].rss / MB) for costs in rounds]
    few, many = (f"{counts[place]:,} lines" for place in (0, -1))
    figures = [
        figure(f"Time for {many}, everything on, without start", "s", times, few, Goal("<=", 10.5)),
        figure(f"Peak memory of {many}, everything on", "MB", peaks, few, FLAT),
    ]
    seconds = [median(cost.wall - begin for cost in costs) for costs in zip(*rounds, strict=True)]
    return figures, Curve(counts, seconds)


def small_lines(size: Size) -> list[Figure]:
    """A hundred times the lines, and more: small ones, from a pipe, language and topic off."""
    few, many = (run(PLAIN, _repeated_sample(lines)) for lines in (size.few, size.many))
    short, long = (f"{lines:,} small lines" for lines in (size.few, size.many))
    peaks = [(many.rss / MB, few.rss / MB)]
    speeds = [(_speed(size.many, many), _speed(size.few, few))]
    return [
        figure(f"Peak memory of {long}, language and topic off", "MB", peaks, short, FLAT),
        figure(f"{long}, by CPU time, language and topic off", "lines/s", speeds, f"{short}, start included"),
    ]


def _speed(lines: int, cost: Cost) -> float:
    return lines / cost.cpu


def _repeated_sample(count: int) -> Iterable[bytes]:
    """The sample, over and over."""
    whole = SAMPLE.read_bytes()
    for _ in range(count // whole.count(b"\n")):
        yield whole
