"""Memory at its peak: of a process, and of several together."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.figures import Figure, Goal, figure
from benchmarks.processes import ALL_ON, ENVIRONMENT, MB, PLAIN, ROOT, run

INTERVAL = 0.02
"""Seconds between two looks at several processes."""


class Peak(NamedTuple):
    """Bytes, added up over the processes of a tree; the greatest sums that were seen."""

    rss: int
    """A page that two processes share is in it twice."""
    pss: int
    """Each process has its share of it: the sum is what the machine misses."""


def peaks(file: Path) -> list[Figure]:
    """Everything on: one process by its own account, two workers together."""
    alone, off = (run([*command, file]).rss / MB for command in (ALL_ON, PLAIN))
    two = watched([*ALL_ON, "--workers", "2", file])
    one = watched([*ALL_ON, "--workers", "1", file])
    name = "Peak memory, everything on"
    pairs = [(two.pss / MB, one.pss / MB)]
    doubled = [(two.rss / MB, one.rss / MB)]
    return [
        figure(f"{name}, RSS", "MB", [(alone, off)], "language and topic off", Goal("<=", 150, "MB")),
        figure(f"{name}, two workers together, PSS", "MB", pairs, "one worker", Goal("<=", 200, "MB")),
        figure(f"{name}, two workers, RSS (shared pages twice)", "MB", doubled, "one worker"),
    ]


def watched(command: Sequence[str | Path]) -> Peak:
    """Run a command to its end and look at its processes again and again."""
    peak = Peak(0, 0)
    with subprocess.Popen(
        [*map(str, command)],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as process:
        while process.poll() is None:
            seen = [_now(pid) for pid in _tree(process.pid)]
            peak = Peak(
                max(peak.rss, sum(one.rss for one in seen)), max(peak.pss, sum(one.pss for one in seen))
            )
            time.sleep(INTERVAL)
    if process.returncode:
        raise SystemExit(f"{process.args!r} failed with exit code {process.returncode}")
    return peak


def _tree(pid: int) -> Iterator[int]:
    """A process, its children and theirs."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _read(children).split():
            yield from _tree(int(child))


def _now(pid: int) -> Peak:
    rows = dict(row.split(":", 1) for row in _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines()[1:])
    rss, pss = (int(rows[name].split()[0]) * 1024 if rows else 0 for name in ("Rss", "Pss"))
    return Peak(rss, pss)


def _read(file: Path) -> str:
    """A file of the kernel's; nothing when its process has just ended."""
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
