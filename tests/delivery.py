"""What the tests of deliveries share: a log with a few bad records, the program that sends it, the proof."""

import atexit
import json
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests import lp
from tests.dialcore import Generator
from tests.faults.dialects import TOKEN, One
from tests.faults.server import POISON, FaultServer
from tests.influxd import PASSWORD, Influx
from tests.support import PLAIN, Done, Json, changed, finish, line, log, start, through

SECRETS = (TOKEN, PASSWORD, One.authorization.removeprefix("Basic "))
URIS = ("/openai/deployments/gpt/chat/completions", "/openai/v1/responses", "/v1/deployments/x/route/y")
NO_PROXY = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "")
EAGER = ("--influx-timeout", "1", "--batch-lines", "60", "--max-delay", "0")
"""Options for a short test with several requests."""

Row = tuple[str, int, frozenset[tuple[str, Any]]]
"""A stored point: measurement, time, tags and fields."""


class Log(NamedTuple):
    """A log, and what has to become of it."""

    data: bytes
    good: list[bytes]
    """The points of its good records."""
    poisoned: list[bytes]
    """The points that a server refuses."""
    dead: Counter[str]
    """The records that are dead before they are points, by their code."""

    @property
    def rows(self) -> set[Row]:
        return rows_of(self.good)


def record(number: int, project: str = "project-1") -> Json:
    """One of many records, each with a span and a time of its own."""
    made = changed(log(URIS[number % len(URIS)]), "trace.core_span_id", f"{number:016x}")
    minute, millisecond = divmod(number, 60_000)
    time = f"2026-03-02T07:{minute:02}:{millisecond / 1000:06.3f}"
    return changed(changed(made, "project.id", project), "request.time", time)


def records(count: int, poison: Iterable[int] = ()) -> bytes:
    """Lines of plain records, some of which are poisoned."""
    bad = set(poison)
    return b"".join(line(record(n, "poison" if n in bad else "project-1")) for n in range(count))


def understood(data: bytes) -> Log:
    done = through(data)
    good = [point for point in done.lines if POISON not in point]
    poisoned = [point for point in done.lines if POISON in point]
    return Log(data, good, poisoned, Counter(fault.code.value for fault in done.faults))


@cache
def mixed(lines: int = 300, poison: int = 0) -> Log:
    """A log as DIAL writes it, with poisoned records spread over it."""
    text = list(Generator(31, "sample").lines(lines))
    for number in range(poison):
        bad = record(number, "poison")
        at = (number * 97 + 5) % len(text)
        text.insert(at, line([record(1000 + number), bad]) if number == 0 else line(bad))
    return understood(b"".join(text))


def rows_of(points: Iterable[bytes]) -> set[Row]:
    """The rows that points become; the fields of a point that comes twice are merged."""
    merged: dict[tuple[str, int, frozenset[tuple[str, str]]], dict[str, lp.Value]] = {}
    for point in map(lp.parse, points):
        merged.setdefault((point.measurement, point.time, frozenset(point.tags.items())), {}).update(
            point.fields
        )
    return {(name, time, tags | frozenset(fields.items())) for (name, time, tags), fields in merged.items()}


def stored(influx: Influx, database: str) -> set[Row]:
    rows = set()
    for measurement in influx.measurements(database):
        for row in influx.query(database, f'SELECT * FROM "{measurement}" WHERE time > -9223372036854775806'):
            time = row.pop("time")
            rows.add((measurement, time, frozenset(one for one in row.items() if one[1] is not None)))
    return rows


def check_stored(influx: Influx, database: str, expected: set[Row]) -> None:
    found = stored(influx, database)
    missing, surplus = expected - found, found - expected
    assert not missing and not surplus, (len(expected), len(missing), len(surplus), [*missing, *surplus][:3])


@dataclass
class Sender:
    """The program, run so that everything it says can be looked at."""

    directory: Path
    options: tuple[str, ...] = EAGER
    env: dict[str, str] = field(default_factory=dict)

    @property
    def log_file(self) -> Path:
        return self.directory / "log"

    @property
    def command(self) -> tuple[str | Path, ...]:
        letters = ("--dead-letter", self.directory / "letters")
        messages = ("--log-file", self.log_file, "--log-level", "debug")
        return (*PLAIN, "--to", "influxdb", *letters, *messages, *self.options)

    def start(self, *files: str | Path) -> subprocess.Popen[bytes]:
        process = start(*self.command, *files, env=NO_PROXY | self.env)
        atexit.register(process.kill)  # it may wait for a server for ever, when a test fails
        return process

    def send(self, data: bytes, *files: str | Path) -> Done:
        """Runs it to its end on what comes in a pipe, and on files."""
        done = finish(self.start(*files), data)
        self.check_discreet(done)
        return done

    def check_discreet(self, done: Done) -> None:
        """Standard output is empty, and no secret was told to anybody."""
        assert done.out == b""
        told = done.err + self.log_file.read_text() + self.letters_text
        assert [secret for secret in SECRETS if secret in told] == []
        assert "Traceback" not in told

    def check_stopped(self, done: Done, *names: str) -> None:
        """It stopped because somebody has to act, and says in one sentence what is wrong."""
        assert done.code == 2, done.err
        told = (done.err + self.log_file.read_text()).splitlines()
        (error,) = [one for one in told if " ERROR " in one or one.startswith("Error: ")]
        assert any(name in error for name in names), error

    @property
    def letters_text(self) -> str:
        path = self.directory / "letters"
        return path.read_text() if path.exists() else ""

    @property
    def letters(self) -> list[Json]:
        return [json.loads(letter) for letter in self.letters_text.splitlines()]

    def points(self, code: str) -> list[bytes]:
        """The points of the dead records with a code."""
        return [
            point.encode() + b"\n"
            for letter in self.letters
            if letter["code"] == code
            for point in letter["points"]
        ]

    def check_dead(self, log: Log, code: str = "rejected", points: Iterable[bytes] | None = None) -> None:
        """These points and no others are in the dead letters, each once; all else is dead as ever."""
        expected = Counter(log.poisoned if points is None else points)
        assert Counter(self.points(code)) == expected
        others = Counter(letter["code"] for letter in self.letters if letter["code"] != code)
        assert others == log.dead


def sender(server: FaultServer, directory: Path, *options: str) -> Sender:
    """The program with the settings of a server."""
    directory.mkdir(exist_ok=True)
    version = ("--influx-version", str(server.dialect.version))
    return Sender(directory, (*EAGER, *version, *options), server.environment)
