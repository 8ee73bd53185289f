"""Lines in a second: beside the reference, the floor, one core, and into InfluxDB."""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import product
from pathlib import Path
from random import Random
from statistics import median
from threading import Thread
from time import perf_counter
from typing import IO

from benchmarks.figures import Figure, Goal, figure, in_turn
from benchmarks.logs import SEED, WARM_UP, Size, generated_log, head
from benchmarks.processes import ALL_ON, ENVIRONMENT, FLOOR, PLAIN, ROOT, Cost, run, typical

TWENTY = "en,de,fr,es,it,pt,nl,pl,cs,sv,tr,ru,uk,el,zh,ja,ko,ar,da,fi"
"""All languages of the log, and two more."""
TRAIN = ROOT / ".venv-train" / "bin" / "python"
STARTS = 5
"""Runs that tell what a start costs."""
Command = Sequence[str | Path]


def seconds(command: Command) -> float:
    """By the clock, start included."""
    return run(command).wall


def start(file: Path, *commands: Command) -> list[Cost]:
    """What commands cost until all is loaded, in the order of the commands."""
    few = head(file, WARM_UP)
    costs = in_turn(STARTS, *(partial(run, [*command, few]) for command in commands))
    return [typical(several) for several in zip(*costs, strict=True)]


def beside_reference(size: Size, file: Path) -> list[Figure]:
    """Everything on, with all languages and with twenty, beside a program that does what the server does.

    Both have all cores: the transformer has a thread for each, we have a worker.
    """
    if not TRAIN.exists():
        raise SystemExit(f"the reference needs {TRAIN.relative_to(ROOT)}: make bench")
    every = (*ALL_ON, "--workers", str(len(os.sched_getaffinity(0))))
    few = (*every, "--languages", TWENTY)
    starts = [cost.wall for cost in start(file, every, few)]
    with reference(sampled(file, size.sampled)) as theirs:
        ours = (partial(seconds, [*command, file]) for command in (every, few))
        rounds = in_turn(size.rounds, theirs, *ours)
    slow = [size.sampled / turn[0] for turn in rounds]
    fast = [[size.counted / (turn[place] - starts[place - 1]) for turn in rounds] for place in (1, 2)]
    name, other = (f"Language ({which}) and topic, by the clock, without start" for which in ("all 75", "20"))
    baseline = f"the reference, with {size.sampled} of these lines, without start"
    return [
        figure(name, "lines/s", list(zip(fast[0], slow, strict=True)), baseline, Goal(">=", 150)),
        figure(other, "lines/s", list(zip(fast[1], slow, strict=True)), baseline, Goal(">=", 250)),
    ]


def sampled(file: Path, count: int) -> list[bytes]:
    """Lines of a log, drawn by chance, and the same in every run."""
    with file.open("rb") as lines:
        everything = sum(1 for _ in lines)
        chosen = set(Random(SEED).sample(range(everything), count))
        lines.seek(0)
        return [line for number, line in enumerate(lines) if number in chosen]


@contextmanager
def reference(lines: list[bytes]) -> Iterator[Callable[[], float]]:
    """The reference, its models loaded: tells how many seconds it takes for the lines, each time anew."""
    with subprocess.Popen(
        [TRAIN, "-m", "benchmarks.reference"],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin and process.stdout
        stdin, stdout = process.stdin, process.stdout

        def timed() -> float:
            begin = perf_counter()
            feeder = Thread(target=_feed, args=(stdin, [*lines, b"\n"]))
            feeder.start()
            _wait(stdout)
            feeder.join()
            return perf_counter() - begin

        _wait(stdout)
        yield timed
        stdin.close()


def _feed(stdin: IO[bytes], lines: list[bytes]) -> None:
    stdin.writelines(lines)
    stdin.flush()


def _wait(stdout: IO[bytes]) -> None:
    """Returns at the empty line that ends an answer."""
    while (said := stdout.readline()) != b"\n":
        if not said:
            raise SystemExit("the reference has failed: run it by hand to see why")


def beside_floor(size: Size, file: Path) -> list[Figure]:
    """Language and topic off, against a program that only decodes."""
    ours, floor = start(file, PLAIN, FLOOR)
    pairs = in_turn(size.pairs, partial(run, [*PLAIN, file]), partial(run, [*FLOOR, file]))
    running = [(one.beyond(ours), other.beyond(floor)) for one, other in pairs]

    cpu, wall = ([(size.lines / a, size.lines / b) for a, b in seconds] for seconds in _seconds(pairs))
    net, _ = ([(size.counted / a, size.counted / b) for a, b in seconds] for seconds in _seconds(running))
    name, baseline, goal = "Language and topic off", "the floor: decoding alone", Goal(">=", 0.7)
    return [
        figure(f"{name}, by CPU time", "lines/s", cpu, baseline, goal),
        figure(f"{name}, by the clock", "lines/s", wall, baseline, goal),
        figure(f"{name}, by CPU time, without start", "lines/s", net, baseline, goal),
    ]


def _seconds(pairs: Sequence[Sequence[Cost]]) -> Iterator[list[tuple[float, float]]]:
    """Those of CPU time, and those by the clock."""
    yield [(one.cpu, other.cpu) for one, other in pairs]
    yield [(one.wall, other.wall) for one, other in pairs]


def cores(size: Size, file: Path) -> list[Figure]:
    """Two workers on two cores beside one on one."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        print("| Two cores against one | not measured: there is one core | | | |")
        return []
    one, two = (
        ("taskset", "--cpu-list", ",".join(map(str, available[:count])), *ALL_ON, "--workers", str(count))
        for count in (1, 2)
    )
    alone, together = (cost.wall for cost in start(file, one, two))
    turns = in_turn(size.rounds, partial(seconds, [*two, file]), partial(seconds, [*one, file]))
    speeds = [(size.counted / (fast - together), size.counted / (slow - alone)) for fast, slow in turns]
    name = "Two workers on two cores, everything on, without start"
    return [figure(name, "lines/s", speeds, "one worker on one core", Goal(">=", 1.7))]


def databases(size: Size, file: Path) -> list[Figure]:
    """Into InfluxDB, beside those that are thrown away."""
    from benchmarks.delivery import deliveries  # large, and no process measures less than ours at the fork

    logs = {"long": (file, size.lines), "small": (generated_log("sample", size.small), size.small)}
    figures = []
    with deliveries() as server:
        if server is None:
            print("| Into InfluxDB | not measured: influxd is not installed | | | |")
            return []
        for (kind, (log, lines)), schema in product(logs.items(), ("dial", "lean")):
            command: list[str | Path] = [*PLAIN, "--schema", schema, log]
            turns = in_turn(size.delivered, partial(server.run, command), partial(run, command))
            name = (
                f"Into InfluxDB {server.version}, {kind} lines, `--schema {schema}`, language and topic off"
            )
            speeds = [(lines / one.wall, lines / other.wall) for one, other in turns]
            figures.append(figure(name, "lines/s", speeds, "/dev/null"))
    return figures


def floor_microseconds(size: Size, file: Path) -> float:
    """CPU time of the floor for a line, without start, for the chart."""
    whole = median(run([*FLOOR, file]).cpu for _ in range(3))
    return (whole - start(file, FLOOR)[0].cpu) / size.counted * 1e6
