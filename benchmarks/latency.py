"""How long somebody waits: for the first point, for the point of a line, for the end."""

import subprocess
import time
from collections.abc import Sequence
from functools import partial
from itertools import islice
from math import exp, log
from pathlib import Path
from random import Random
from threading import Thread
from typing import IO

from benchmarks.conversation import conversation
from benchmarks.figures import Figure, Goal, figure, in_turn, percentile
from benchmarks.logs import SAMPLE, SEED, Size, talkative_line
from benchmarks.processes import ALL_ON, BARE, ENVIRONMENT, PLAIN, ROOT, first_output

GAPS = (0.005, 1.0)
"""Seconds between two lines, the least and the most: bursts, and a stream that has gone quiet."""
DRAIN_TIME = 5.0
NOW = ("--max-delay", "0")


def starts(size: Size) -> list[Figure]:
    """Seconds to the first point, everything on and off."""
    line = talkative_line()
    figures = []
    for name, command, most in (("everything on", ALL_ON, 0.8), ("language and topic off", PLAIN, 0.15)):
        ours, bare = partial(first_output, (*command, *NOW), line), partial(first_output, BARE)
        pairs = in_turn(size.starts, ours, bare)
        goal = Goal("<=", most, "s")
        figures.append(figure(f"Start to the first point, {name}", "s", pairs, "python -c pass", goal))
    return figures


def live(size: Size, file: Path) -> list[Figure]:
    """Milliseconds from a line on stdin to its point on stdout, everything on."""
    with file.open("rb") as everything:
        lines = list(islice((line for line in everything if _is_chat(line)), size.live + 1))
    chance = Random(SEED)
    gaps = [exp(chance.uniform(log(GAPS[0]), log(GAPS[1]))) for _ in lines[1:]]
    cat = delays(("cat",), lines, [gap / 10 for gap in gaps])
    ways = (
        ("defaults", ALL_ON, Goal("<=", 1000, "ms")),
        ("`--max-delay 0`", (*ALL_ON, *NOW), Goal("<=", 50, "ms")),
    )
    figures = []
    for name, command, goal in ways:
        told = delays(command, lines, gaps)
        for percent, what in ((50, "median"), (99, "99th percentile"), (100, "longest")):
            pairs = [(percentile(told, percent) * 1000, percentile(cat, percent) * 1000)]
            title = f"A line on stdin is a point on stdout, {name}, {what} of {len(told)}"
            wanted = goal if percent == 99 else None
            figures.append(figure(title, "ms", pairs, "through cat", wanted))
    return figures


def _is_chat(line: bytes) -> bool:
    talk = conversation(line)
    return talk is not None and talk.kind == "chat"


def delays(command: Sequence[str], lines: Sequence[bytes], gaps: Sequence[float]) -> list[float]:
    """Seconds until something is said about each line but the first, which only wakes the program up.

    The lines come whether those before have been answered or not.
    """
    with subprocess.Popen(
        [*command], cwd=ROOT, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stdout
        process.stdin.write(lines[0])
        process.stdin.flush()
        process.stdout.readline()
        written: list[float] = []
        Thread(target=_write, args=(process.stdin, lines[1:], gaps, written), daemon=True).start()
        answered = [time.perf_counter() for _ in process.stdout]
    if len(answered) != len(gaps):
        raise SystemExit(f"{process.args!r} answered {len(answered)} of {len(gaps)} lines")
    return [end - begin for begin, end in zip(written, answered, strict=True)]


def _write(stdin: IO[bytes], lines: Sequence[bytes], gaps: Sequence[float], written: list[float]) -> None:
    with stdin:
        for line, gap in zip(lines, gaps, strict=True):
            time.sleep(gap)
            written.append(time.perf_counter())
            stdin.write(line)
            stdin.flush()


def leaving() -> list[Figure]:
    """Seconds until the program has left a server that hangs, after SIGTERM."""
    from benchmarks.delivery import time_to_leave  # large, and no process measures less than ours at the fork

    some = SAMPLE.read_bytes()[:20_000]
    longest = max(time_to_leave(PLAIN, some) for _ in range(3))
    name, goal = "SIGTERM while the server hangs, to the end, longest of 3", Goal("<=", DRAIN_TIME, "s")
    return [figure(name, "s", [(longest, DRAIN_TIME)], "--drain-time", goal)]
