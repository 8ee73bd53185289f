"""The real rsyslog and syslog-ng on the configurations that ship, each in a directory of a test."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import psutil

from tests.delivery import NO_PROXY, Row, check_stored, mixed, record, stored, understood
from tests.faults.dialects import Reply
from tests.faults.server import Visit
from tests.influxd import Influx, wait_for
from tests.support import PATIENCE, ROOT, Json, environment, needed

UNPACKED = Path(os.environ.get("SHIPPERS", "/opt/shippers"))
"""Where the packages of both lie side by side. Debian installs the one or the other."""
LIBRARIES = ("lib/*-linux-gnu", "usr/lib/*-linux-gnu", "usr/lib/syslog-ng")
PROGRAM = "/usr/local/bin/dial-enricher"
"""As the configurations have it."""
OURS = f"{sys.executable} -m dial_enricher"
PLAIN = {"DIAL_ENRICHER_LANGUAGE": "off", "DIAL_ENRICHER_TOPICS": "off", "DIAL_ENRICHER_LOG_LEVEL": "debug"}


def substituted(text: str, changes: Mapping[str, str]) -> str:
    """A configuration in which some things are others: each has to be in it, and no other path may be."""
    rest = "".join(line for line in text.splitlines(True) if not line.lstrip().startswith("#"))
    for old, new in changes.items():
        assert old in rest, f"{old} is not in the configuration"
        rest = rest.replace(old, "")
        text = text.replace(old, new)
    path = re.search(r"/(app|etc|usr|var)/\S*", rest)
    assert path is None, f"{path} is left in the configuration"
    return text


@dataclass
class Shipper(ABC):
    """A shipper with its configuration, its state and a log that it follows."""

    directory: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    """What the program finds in its environment file."""
    program: str = OURS
    changes: Mapping[str, str] = field(default_factory=dict)
    """What else the configuration has in place of what it ships with."""

    configuration: ClassVar[Path]
    executable: ClassVar[str]
    package: ClassVar[str]

    def __post_init__(self) -> None:
        for name in ("app", "state"):
            (self.directory / name).mkdir(parents=True)
        (self.directory / "enricher.env").write_text(
            "".join(f"{name}='{value}'\n" for name, value in {**PLAIN, **self.settings}.items())
        )
        text = substituted(self.configuration.read_text(), {**self._changes(), **self._paths()})
        (self.directory / "conf").write_text(text)
        self._daemon: subprocess.Popen[bytes] | None = None
        self._left: list[psutil.Process] = []

    def _changes(self) -> dict[str, str]:
        return dict(self.changes)

    def _paths(self) -> dict[str, str]:
        places = {
            "/app/log": "app",
            "/etc/dial-enricher/enricher.env": "enricher.env",
            "/var/lib/dial-enricher/dead.jsonl": "dead.jsonl",
            "/var/log/dial-enricher.log": "program.log",
        }
        own = {old: str(self.directory / new) for old, new in places.items()}
        return {PROGRAM: self.program, **own}

    @abstractmethod
    def _arguments(self, unpacked: Path | None) -> list[str | Path]:
        """With where its modules are, when it is not installed."""

    @property
    def log(self) -> Path:
        return self.directory / "app" / "aidial-2026-03-02.0.log"

    def write(self, data: bytes) -> None:
        with self.log.open("ab") as log:
            log.write(data)

    @property
    def said(self) -> str:
        """What the shipper and the program had to say."""
        files = [self.directory / name for name in ("daemon.log", "program.log")]
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    @property
    def letters(self) -> list[Json]:
        return [json.loads(line) for line in (self.directory / "dead.jsonl").read_text().splitlines()]

    def start(self) -> None:
        unpacked, executable = _found(self.executable, self.package)
        more = {"LD_LIBRARY_PATH": _libraries(unpacked)} if unpacked else {}
        with (self.directory / "daemon.log").open("ab") as output:
            self._daemon = subprocess.Popen(
                [executable, *self._arguments(unpacked)],
                env=environment({**NO_PROXY, **more}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def signal(self, number: int) -> None:
        assert self._daemon is not None
        self._daemon.send_signal(number)

    def stop(self) -> None:
        """Tells it to stop, as an operator does: it has to, and so has the program."""
        assert self._daemon is not None and self._daemon.poll() is None, self.said
        self._left = self.programs
        self._daemon.terminate()
        assert self._daemon.wait(PATIENCE) == 0, self.said
        _, alive = psutil.wait_procs(self._left, PATIENCE)
        assert not alive, self.said

    def end(self) -> None:
        """Leaves nothing running, whatever has happened."""
        if self._daemon is not None:
            if self._daemon.poll() is None:
                self._left = self.programs
            self._daemon.kill()
            self._daemon.wait(PATIENCE)
            _kill(self._left)

    @property
    def programs(self) -> list[psutil.Process]:
        """Its children, and theirs."""
        assert self._daemon is not None
        return psutil.Process(self._daemon.pid).children(recursive=True)

    def kill_programs(self) -> None:
        _kill(self.programs)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Returns when something is so. The shipper has to live until then."""

        def came() -> bool:
            assert self._daemon is not None and self._daemon.poll() is None, self.said
            return condition()

        wait_for(came)

    def check_arrives(self, influx: Influx, database: str, rows: set[Row]) -> None:
        """These rows come into the database, and no others."""
        deadline = time.monotonic() + PATIENCE / 2
        while len(stored(influx, database)) < len(rows) and time.monotonic() < deadline:
            time.sleep(0.2)
        check_stored(influx, database, rows)
        assert "Traceback" not in self.said


class Rsyslog(Shipper):
    configuration = ROOT / "deploy" / "rsyslog.conf"
    executable = "rsyslogd"
    package = "rsyslog"

    def _paths(self) -> dict[str, str]:
        own = {"/var/spool/rsyslog": "state", "/var/lib/dial-enricher/rsyslog.checkpoint": "checkpoint"}
        return super()._paths() | {old: str(self.directory / new) for old, new in own.items()}

    def _arguments(self, unpacked: Path | None) -> list[str | Path]:
        modules = sorted(unpacked.glob("usr/lib/*/rsyslog")) if unpacked else []
        here = ("-n", "-f", self.directory / "conf", "-i", self.directory / "state" / "pid")
        return [*here, *(part for path in modules for part in ("-M", path))]


class SyslogNg(Shipper):
    configuration = ROOT / "deploy" / "syslog-ng.conf"
    executable = "syslog-ng"
    package = "syslog-ng-core"

    def _arguments(self, unpacked: Path | None) -> list[str | Path]:
        modules = sorted(unpacked.glob("usr/lib/syslog-ng/[0-9]*")) if unpacked else []
        files: dict[str, str | Path] = {"-R": "persist", "-p": "pid", "-c": "control"}
        state = [part for option, name in files.items() for part in (option, self.directory / "state" / name)]
        return ["-F", "-f", self.directory / "conf", *state, *(f"--module-path={path}" for path in modules)]


def _found(executable: str, package: str) -> tuple[Path | None, str]:
    """A program that is installed, or unpacked; and then where."""
    if installed := shutil.which(executable):
        return None, installed
    path = UNPACKED / "usr" / "sbin" / executable
    if not path.exists():
        needed(f"{executable} (Debian: {package})")
    return UNPACKED, str(path)


def _kill(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # it ended by itself
            process.kill()


def _libraries(unpacked: Path) -> str:
    return ":".join(str(path) for name in LIBRARIES for path in sorted(unpacked.glob(name)))


@contextmanager
def shipping(shipper: Shipper) -> Iterator[None]:
    """A shipper at work, which is told to stop at the end."""
    try:
        shipper.start()
        yield
        shipper.stop()
    finally:
        shipper.end()


def check_grows(shipper: Shipper, influx: Influx, database: str) -> None:
    """Lines of before the start, a line in two parts, a file of a new name; and NUL, which cuts a line."""
    lines = mixed(300).data.splitlines(keepends=True)
    whole = understood(b"".join(line for line in lines if b"\0" not in line))
    cut = sum(b"\0" in line for line in lines)
    assert cut
    shipper.write(b"".join(lines[:100]))
    with shipping(shipper):
        shipper.wait_for(lambda: len(stored(influx, database)) > 50)
        shipper.write(lines[100][:-7])
        time.sleep(2)
        shipper.write(lines[100][-7:] + b"".join(lines[101:200]))
        shipper.log.with_name("aidial-2026-03-03.0.log").write_bytes(b"".join(lines[200:]))
        shipper.check_arrives(influx, database, whole.rows)
    codes = [letter["code"] for letter in shipper.letters]
    assert set(codes) == set(whole.dead) == {"invalid_json"}, codes
    assert len(codes) >= whole.dead.total() + cut, codes


def check_passes(shipper: Shipper, received: Path) -> None:
    """Every byte but NUL gets through, in lines of any length."""
    short = b'{"all": "' + bytes(range(1, 10)) + bytes(range(11, 256)) + b'"}\n'
    lines = [long_line(1), short, long_line(2), b"  blanks around  \n", short]
    length = sum(map(len, lines))
    with shipping(shipper):
        shipper.write(b"".join(lines))
        shipper.wait_for(lambda: received.exists() and received.stat().st_size >= length)
    assert received.read_bytes() == b"".join(lines), received


class Killer:
    """Befalls the requests of a server: each time so many new lines are stored, the program is killed."""

    def __init__(self, every: int) -> None:
        self.kills = 0
        self.kill: Callable[[], None] = lambda: None
        self._every = every
        self._lines: set[bytes] = set()

    def __call__(self, visit: Visit) -> Reply | None:
        reply = visit.store()
        self._lines.update(visit.lines)
        if len(self._lines) >= self._every * (self.kills + 1):
            self.kills += 1
            self.kill()
        return reply


def script(path: Path, text: str, *arguments: object) -> str:
    """A command that runs a Python script with arguments, before those that it gets."""
    path.write_text(text)
    return " ".join([sys.executable, str(path), *map(str, arguments)])


def long_line(number: int) -> bytes:
    """A record of 15 MiB, nearly the most that DIAL Core writes, full of escapes and not all ASCII."""
    made = record(number)
    message = {"role": "user", "content": 'Grüße 😀 "quoted" \\ back\tand forth\n' * 310_000}
    made["request"]["body"] = json.dumps({"model": "gpt", "messages": [message]}, ensure_ascii=False)
    data = json.dumps(made, ensure_ascii=False).encode() + b"\n"
    assert 15 << 20 < len(data) < 16 << 20, len(data)
    return data
