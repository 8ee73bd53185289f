"""Processes, and what they cost."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("DIAL_ENRICHER_") and name != "MODEL_RATES"
}
"""Ours, without what would change the program's settings."""
RSS_UNIT = 1 if sys.platform == "darwin" else 1024
ENRICH = (sys.executable, "-m", "dial_enricher", "enrich")
ALL_ON = (*ENRICH, *"--language chat --topics chat --topic-model topic_model".split())
PLAIN = (*ENRICH, *"--language off --topics off".split())
FLOOR = (sys.executable, "-m", "benchmarks.floor")
BARE = (sys.executable, "-c", "pass")
MB = 1_000_000


@dataclass(slots=True, frozen=True)
class Cost:
    """What a process took: seconds and bytes."""

    wall: float
    cpu: float
    rss: int
    """At its peak. Never less than ours at the fork, which is why this module imports so little."""

    def beyond(self, start: "Cost") -> "Cost":
        """The cost without that of starting."""
        return Cost(self.wall - start.wall, self.cpu - start.cpu, self.rss)


def typical(costs: Iterable[Cost]) -> Cost:
    """The median of each part of the costs."""
    several = list(costs)
    return Cost(
        median(cost.wall for cost in several),
        median(cost.cpu for cost in several),
        max(cost.rss for cost in several),
    )


def run(command: Iterable[str | Path], feed: Iterable[bytes] | None = None) -> Cost:
    """Run a process to its end, with its standard output thrown away."""
    with tempfile.TemporaryFile() as complaints:
        begin = time.perf_counter()
        process = subprocess.Popen(
            [*map(str, command)],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL if feed is None else subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
        )
        if feed is not None and process.stdin:
            with process.stdin:
                process.stdin.writelines(feed)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            complaints.seek(0)
            raise SystemExit(
                f"{process.args!r} failed:\n{complaints.read()[-2000:].decode(errors='replace')}"
            )
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * RSS_UNIT)


def first_output(command: Iterable[str | Path], line: bytes = b"") -> float:
    """Seconds from starting a process to its first byte, or to its end when it says nothing."""
    begin = time.perf_counter()
    with subprocess.Popen(
        [*map(str, command)],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin and process.stdout
        if line:
            process.stdin.write(line)
            process.stdin.flush()
        said = os.read(process.stdout.fileno(), 1)
        seconds = time.perf_counter() - begin
        process.stdin.close()
        if line and not said:
            raise SystemExit(f"{process.args!r} wrote no point")
        process.stdout.read()
    return seconds
