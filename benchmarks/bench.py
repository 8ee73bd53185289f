"""What the program costs, each figure beside a baseline of the same run: `python -m benchmarks.bench`.

Every process that is measured is a new one. Those that are compared take turns, so that a neighbour on the
machine disturbs both; what counts is the median of the pairs. Their range stands beside it: a goal inside the
range is neither safely met nor safely missed.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from typing import TypeVar

from benchmarks.processes import ROOT, Cost, first_output, machine, run, typical

T = TypeVar("T")
GENERATOR = ROOT / "tests" / "dialcore"
SAMPLE = ROOT / "tests" / "data" / "sample.log"
SEED = 1

ENRICH = (sys.executable, "-m", "dial_enricher", "enrich", "--topics", "off", "--language")
FLOOR = (sys.executable, "-m", "benchmarks.floor")
BARE = (sys.executable, "-c", "pass")
MIB = 1024 * 1024


@dataclass(slots=True, frozen=True)
class Size:
    """How much is measured."""

    lines: int
    """Of the production log."""
    pairs: int
    spoken: int
    """Pairs with the language, which are slow."""
    starts: int
    few: int
    """Lines of the short run for memory; `many` are those of the long one."""
    many: int
    delivered: int
    """Pairs with InfluxDB."""
    small: int
    """Lines of a log of small ones, all different."""


FULL = Size(12_500, pairs=11, spoken=3, starts=15, few=10_000, many=1_000_000, delivered=5, small=40_000)
QUICK = Size(2_000, pairs=9, spoken=3, starts=11, few=10_000, many=100_000, delivered=3, small=10_000)


@dataclass(slots=True, frozen=True)
class Figure:
    """A row of the report."""

    name: str
    value: float
    unit: str
    baseline: float
    baseline_name: str
    ratio: float
    goal: str = ""
    met: bool | None = None
    spread: tuple[float, float] | None = None
    """The least and the greatest ratio of a pair, where there are several."""

    def row(self) -> str:
        """Write the figure as a row of a Markdown table."""
        verdict = "" if self.met is None else " (met)" if self.met else " (**missed**)"
        spread = f" ({self.spread[0]:.2f} to {self.spread[1]:.2f})" if self.spread else ""
        baseline = f"{_number(self.baseline)} {self.unit}, {self.baseline_name}"
        return (
            f"| {self.name} | {_number(self.value)} {self.unit} | {baseline} "
            f"| {self.ratio:.2f}{spread} | {self.goal}{verdict} |"
        )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def generated_log(shape: str, lines: int) -> Path:
    """A log to measure with: written once for each version of the generator."""
    version = hashlib.sha256()
    for source in sorted([*GENERATOR.glob("*.py"), *GENERATOR.glob("*.json")]):
        version.update(source.read_bytes())
    cache = Path(tempfile.gettempdir())
    name = f"dial-enricher-bench-{shape}-{SEED}-{lines}-"
    file = cache / f"{name}{version.hexdigest()[:12]}.log"
    if not file.exists():
        for outdated in cache.glob(f"{name}*.log"):
            outdated.unlink()
        part = file.with_suffix(f".{os.getpid()}")
        command = (sys.executable, "-m", "tests.dialcore", "--shape", shape)
        with part.open("wb") as output:
            subprocess.run(
                [*command, "--seed", str(SEED), "--lines", str(lines)], cwd=ROOT, stdout=output, check=True
            )
        part.replace(file)
    return file


def throughput(size: Size, file: Path) -> list[Figure]:
    """Lines in a second against the floor, over the whole process and without its start."""
    pairs = in_turn(size.pairs, partial(run, [*ENRICH, "off", file]), partial(run, [*FLOOR, file]))
    with tempfile.NamedTemporaryFile() as nothing:
        idle = in_turn(5, partial(run, [*ENRICH, "off", nothing.name]), partial(run, [*FLOOR, nothing.name]))
    ours, floor = (typical(costs) for costs in zip(*idle, strict=True))
    running = [(one.beyond(ours), other.beyond(floor)) for one, other in pairs]
    goal = ">= 0.50"

    def figure(name: str, pairs: list[tuple[Cost, Cost]], seconds: Callable[[Cost], float]) -> Figure:
        ratios = [seconds(other) / seconds(one) for one, other in pairs]
        fast = median(size.lines / seconds(one) for one, _ in pairs)
        limit = median(size.lines / seconds(other) for _, other in pairs)
        ratio, spread = median(ratios), (min(ratios), max(ratios))
        return Figure(name, fast, "lines/s", limit, "decoding alone", ratio, goal, ratio >= 0.5, spread)

    return [
        figure("Throughput by CPU time", pairs, lambda cost: cost.cpu),
        figure("Throughput by the clock", pairs, lambda cost: cost.wall),
        figure("Throughput by CPU time, without the start", running, lambda cost: cost.cpu),
    ]


def starts(size: Size) -> list[Figure]:
    """Seconds to the first point, without and with the language."""
    line = talkative_line()
    figures = []
    for language, goal in (("off", 0.15), ("chat", 0.6)):
        command = (*ENRICH, language, "--max-delay", "0")
        turns = in_turn(size.starts, partial(first_output, command, line), partial(first_output, BARE))
        ours, bare = median(one for one, _ in turns), median(other for _, other in turns)
        figures.append(
            Figure(
                f"Start to the first point, language {language}",
                ours,
                "s",
                bare,
                "python -c pass",
                ours / bare,
                f"<= {goal} s",
                ours <= goal,
            )
        )
    return figures


def memory(size: Size) -> list[Figure]:
    """Peak memory: of a long run beside a short one, and with the language beside without."""
    few, many = (run([*ENRICH, "off"], _small_lines(lines)) for lines in (size.few, size.many))
    spoken = run([*ENRICH, "chat"], _small_lines(size.few))
    growth = many.rss / few.rss
    return [
        Figure(
            f"Peak memory, {size.many:,} lines",
            many.rss / MIB,
            "MiB",
            few.rss / MIB,
            f"{size.few:,} lines",
            growth,
            "flat, <= 1.10",
            growth <= 1.1,
        ),
        Figure(
            f"Peak memory with language, {size.few:,} lines",
            spoken.rss / MIB,
            "MiB",
            few.rss / MIB,
            "language off",
            spoken.rss / few.rss,
        ),
        Figure(
            "Throughput of small lines by CPU time",
            size.many / many.cpu,
            "lines/s",
            size.few / few.cpu,
            f"{size.few:,} lines, start included",
            (size.many / many.cpu) / (size.few / few.cpu),
        ),
    ]


def languages(size: Size, file: Path) -> list[Figure]:
    """Lines in a second with the language."""
    pairs = in_turn(size.spoken, partial(run, [*ENRICH, "chat", file]), partial(run, [*ENRICH, "off", file]))
    fast, limit = (median(size.lines / costs[which].wall for costs in pairs) for which in (0, 1))
    ratios = [other.wall / one.wall for one, other in pairs]
    spread = (min(ratios), max(ratios))
    peak = max(one.rss for one, _ in pairs) / MIB
    still = max(other.rss for _, other in pairs) / MIB
    return [
        Figure(
            "Throughput with language by the clock",
            fast,
            "lines/s",
            limit,
            "language off",
            median(ratios),
            spread=spread,
        ),
        Figure("Peak memory with language, long lines", peak, "MiB", still, "language off", peak / still),
    ]


def databases(size: Size, file: Path) -> list[Figure]:
    """Lines in a second into InfluxDB, beside those that are thrown away."""
    from benchmarks.delivery import deliveries  # large, and no process measures less than ours at the fork

    logs = {"long": (file, size.lines), "small": (generated_log("sample", size.small), size.small)}
    figures = []
    with deliveries() as server:
        if server is None:
            print("| Throughput into InfluxDB | not measured: influxd is not installed | | | |")
            return []
        for (kind, (log, lines)), schema in product(logs.items(), ("dial", "lean")):
            command: list[str | Path] = [*ENRICH, "off", "--schema", schema, log]
            pairs = in_turn(size.delivered, partial(server.run, command), partial(run, command))
            fast, limit = (median(lines / costs[which].wall for costs in pairs) for which in (0, 1))
            ratios = [other.wall / one.wall for one, other in pairs]
            name = f"Throughput into InfluxDB {server.version}, {kind} lines, `--schema {schema}`"
            spread = (min(ratios), max(ratios))
            figures.append(Figure(name, fast, "lines/s", limit, "/dev/null", median(ratios), spread=spread))
    return figures


def leaving() -> list[Figure]:
    """Seconds until the program has left a server that hangs, after SIGTERM."""
    from benchmarks.delivery import time_to_leave

    command = (*ENRICH, "off")
    some = SAMPLE.read_bytes()[:20_000]
    given = 5.0
    took = max(time_to_leave(command, some) for _ in range(3))
    name = "SIGTERM while the server hangs, to the end, longest of 3"
    return [Figure(name, took, "s", given, "--drain-time", took / given, "<= 5 s", took <= given)]


def in_turn(times: int, one: Callable[[], T], other: Callable[[], T]) -> list[tuple[T, T]]:
    """Measure two things in turn, after a warm-up of both."""
    one(), other()
    return [(one(), other()) for _ in range(times)]


def _small_lines(count: int) -> Iterable[bytes]:
    """The sample, over and over."""
    lines = SAMPLE.read_bytes().split(b"\n")[:-1]
    whole = b"\n".join(lines) + b"\n"
    for _ in range(count // len(lines)):
        yield whole


def talkative_line() -> bytes:
    """A line of the sample that has a text whose language can be told."""
    for line in SAMPLE.read_bytes().split(b"\n"):
        if line.startswith(b'{"apiType":"DialOpenAI","chat":{"id":"') and b"\\/chat\\/completions" in line:
            log = json.loads(line, strict=False)
            if log["chat"]["id"] and log["response"]["status"] == "200" and "body" in log["request"]:
                return line + b"\n"
    raise SystemExit(f"no chat with an id in {SAMPLE.name}")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench", description="Measure dial-enricher.")
    parser.add_argument("--quick", action="store_true", help="a small run, for a look")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file as well")
    arguments = parser.parse_args()
    size = QUICK if arguments.quick else FULL
    file = generated_log("production", size.lines)
    place = machine() | {"log": f"{size.lines:,} lines, {file.stat().st_size / MIB:,.0f} MiB"}
    print(", ".join(f"{name} {value}" for name, value in place.items()), end="\n\n")
    print("| what | measured | baseline of the same run | ratio | goal |\n|---|---:|---:|---:|---|")
    figures: list[Figure] = []
    parts = (
        partial(throughput, size, file),
        partial(starts, size),
        partial(memory, size),
        partial(languages, size, file),
        partial(databases, size, file),
        leaving,
    )
    for part in parts:
        for figure in part():
            print(figure.row(), flush=True)
            figures.append(figure)
    if arguments.json:
        report = {"machine": place, "figures": [asdict(figure) for figure in figures]}
        arguments.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
