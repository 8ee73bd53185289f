"""The ready configurations: their commands are started, fed and stopped as the hosts do it."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from tests.delivery import NO_PROXY, check_stored, mixed, stored
from tests.hosts import commands
from tests.hosts.commands import Place
from tests.influxd import Influx, free_ports, wait_for
from tests.support import PATIENCE, feed, finish, read_some, start

PLAIN_ENV = NO_PROXY | {"DIAL_ENRICHER_LANGUAGE": "off", "DIAL_ENRICHER_TOPICS": "off"}
EAGER_ENV = {"DIAL_ENRICHER_BATCH_LINES": "50", "DIAL_ENRICHER_MAX_DELAY": "0.1"}
DAYS = ("aidial-2026-11-20.0.log", "aidial-2026-11-21.0.log")


class Machine(Place):
    """A root with DIAL's log, and the settings of a server in the file of the environment."""

    def __init__(self, root: Path, influx: Influx | None = None, database: str = "") -> None:
        super().__init__(root)
        self.log = mixed(600)
        lines = self.log.data.splitlines(keepends=True)
        self.parts = [b"".join(lines[at : at + 220]) for at in range(0, len(lines), 220)]
        assert len(self.parts) == 3
        self.env = PLAIN_ENV | EAGER_ENV
        if influx is not None:
            self.env |= {"INFLUX_URL": influx.url, "INFLUX_DATABASE": influx.database(database)}
        self.point_to_server()

    def point_to_server(self, **changed: str) -> None:
        lines = (f"{name}={value}\n" for name, value in (self.env | changed).items())
        self.env_file.write_text("".join(lines))

    def write(self, part: int, day: int = 0) -> None:
        with (self.logs / DAYS[day]).open("ab") as file:
            file.write(self.parts[part])

    def start(self, words: list[str], stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        return start(*self.words(words), stdin=stdin, env=self.env)

    def check_letters(self) -> None:
        """Each record that cannot be used has a letter, one or, after a kill, more."""
        letters = [json.loads(line) for line in (self.state / "dead.jsonl").read_text().splitlines()]
        assert Counter(letter["code"] for letter in letters).keys() == self.log.dead.keys()
        assert len(letters) >= self.log.dead.total()


def read_points(process: subprocess.Popen[bytes], count: int) -> bytes:
    """Reads until so many points have come."""
    out = b""
    while out.count(b"\n") < count:
        some = read_some(process)
        assert some, "it has ended, or nothing comes"
        out += some
    return out


# Hosts that read the program's standard output


@pytest.mark.parametrize("host", ["vector", "telegraf"])
def test_a_program_that_follows_hands_all_points_over(host: str, tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.write(0)
    stdin = subprocess.DEVNULL if host == "vector" else subprocess.PIPE
    process = machine.start(commands.STRUCTURED[host](), stdin)
    out = read_points(process, 100)
    machine.write(1)
    machine.write(2, day=1)
    out += read_points(process, len(machine.log.good) - out.count(b"\n"))
    if process.stdin:
        process.stdin.close()
        process.stdin = None
    process.terminate()
    done = finish(process)
    assert (done.code, out + done.out) == (128 + signal.SIGTERM, b"".join(machine.log.good))
    machine.check_letters()
    if host == "vector":
        assert "dead: " not in done.err
        assert "dead: " in (machine.state / "log").read_text()
    else:
        assert done.err and all(line[:3] in ("W! ", "E! ", "I! ") for line in done.err.splitlines())


@pytest.mark.parametrize("host", ["vector", "telegraf"])
def test_a_program_that_was_killed_goes_on(host: str, tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    for part in range(3):
        machine.write(part)
    words = commands.STRUCTURED[host]()
    process = machine.start(words)
    before = read_points(process, 60)
    process.kill()
    before += finish(process).out
    points = set(before[: before.rindex(b"\n") + 1].splitlines(keepends=True))  # the last one may be cut
    assert len(points) < len(machine.log.good), "it was killed in the midst"
    again = machine.start(words)
    rest = b""
    while len(points | set(rest.splitlines(keepends=True))) < len(machine.log.good):
        rest += read_points(again, 1)
    again.terminate()
    rest += finish(again).out
    assert points | set(rest.splitlines(keepends=True)) == set(machine.log.good)
    machine.check_letters()


# Programs that follow, and write to InfluxDB themselves


@pytest.mark.parametrize("host", ["systemd", "kubernetes"])
def test_a_service_delivers_what_was_written_before_it_is_stopped(
    host: str, influx: Influx, database: str, tmp_path: Path
) -> None:
    machine = Machine(tmp_path, influx, database)
    machine.write(0)
    words = commands.STRUCTURED[host]()
    process = machine.start(words)
    wait_for(lambda: bool(stored(influx, database)))
    process.kill()
    finish(process)
    machine.write(1)
    machine.write(2, day=1)
    process = machine.start(words)
    wait_for(lambda: len(stored(influx, database)) == len(machine.log.rows))
    process.terminate()
    done = finish(process)
    assert (done.code, done.out) == (128 + signal.SIGTERM, b"")
    check_stored(influx, database, machine.log.rows)
    machine.check_letters()


# Hosts that feed the program


@pytest.mark.parametrize("told", [True, False], ids=["SIGTERM", "EOF only"])
@pytest.mark.parametrize("host", ["fluentd-exec_filter", "logstash"])
def test_a_program_that_is_fed_delivers_what_was_in_the_pipe(
    host: str, told: bool, influx: Influx, database: str, tmp_path: Path
) -> None:
    machine = Machine(tmp_path, influx, database)
    process = machine.start(commands.STRUCTURED[host](), subprocess.PIPE)
    feed(process, machine.log.data)
    assert process.stdin
    process.stdin.close()
    process.stdin = None
    if told:
        process.terminate()
    done = finish(process)
    assert done.code == (128 + signal.SIGTERM if told else 0)
    assert done.out == b"", "nobody reads it"
    assert "dead: " not in done.err and "dead: " in (machine.state / "log").read_text()
    check_stored(influx, database, machine.log.rows)
    machine.check_letters()


def test_a_chunk_of_fluentd_is_done_only_when_all_is_delivered(
    influx: Influx, database: str, tmp_path: Path
) -> None:
    """Fluentd sends a chunk again after any exit code but 0."""
    machine = Machine(tmp_path, influx, database)
    chunk = tmp_path / "buffer.q64f.log"
    chunk.write_bytes(machine.log.data * 20)
    words = [str(chunk) if word == commands.CHUNK else word for word in commands.fluentd("exec")]

    machine.env.pop("INFLUX_URL")  # the environment would win over the file
    (nobody,) = free_ports(1)
    machine.point_to_server(INFLUX_URL=f"http://127.0.0.1:{nobody}", DIAL_ENRICHER_DRAIN_TIME="0.5")
    process = machine.start(words)
    letters = machine.state / "dead.jsonl"
    wait_for(lambda: letters.exists() and letters.stat().st_size > 0)  # it has read a part, and holds points
    process.terminate()
    assert finish(process).code == 4, "as it is when --retry-time is over"

    machine.point_to_server(INFLUX_URL=influx.url)
    process = machine.start(words)
    wait_for(lambda: bool(stored(influx, database)))
    process.kill()
    assert finish(process).code == -signal.SIGKILL

    assert finish(machine.start(words)).code == 0
    check_stored(influx, database, machine.log.rows)


# Programs behind another in a shell

STAND_IN = """#!{python}
import json, os, signal, time
from contextlib import suppress

def write(path):
    for line in open(path, encoding="utf-8"):
        if {wrapped}:
            line = json.dumps({{"date": 1.5, "log": line.removesuffix("\\n")}}) + "\\n"
        with suppress(BrokenPipeError):
            os.write(1, line.encode())

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
write({first!r})
signal.sigwait([signal.SIGTERM])
time.sleep(1)
write({last!r})
"""
"""Writes a file at the start, another a while after it was told to stop, to anybody or nobody."""
PROGRAM = """#!/bin/sh
echo $$ > {pid}
exec {python} -m dial_enricher "$@"
"""


class Shell:
    """A script with another program in place of the one that reads the files, and ours behind it."""

    def __init__(self, machine: Machine, script: str, name: str) -> None:
        self._machine = machine
        bin_folder = machine.root / "bin"
        bin_folder.mkdir()
        self._pid = machine.root / "pid"
        first, last = machine.root / "first", machine.root / "last"
        first.write_bytes(b"".join(machine.parts[:2]))
        last.write_bytes(machine.parts[2])
        stand_in = STAND_IN.format(
            python=sys.executable, wrapped=name == "fluent-bit", first=str(first), last=str(last)
        )
        program = PROGRAM.format(python=sys.executable, pid=self._pid)
        for path, text in ((bin_folder / name, stand_in), (bin_folder / "dial-enricher", program)):
            path.write_text(text)
            path.chmod(0o755)
        env = machine.env | {"PATH": f"{bin_folder}:{os.environ['PATH']}"}
        self.process = start(
            *("-c", machine.text(script)),
            program=("/bin/sh",),
            env=env,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        with suppress(ProcessLookupError):  # all have ended, unless the test failed
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def kill_the_program(self) -> None:
        os.kill(int(self._pid.read_text()), signal.SIGKILL)

    def program_runs(self) -> bool:
        return Path("/proc", self._pid.read_text().strip()).exists()


SCRIPTS = {"fluent-bit": commands.fluent_bit_script, "vector": commands.vector_script}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_pipe_that_is_told_to_stop_is_emptied_first(
    name: str, influx: Influx, database: str, tmp_path: Path
) -> None:
    """Only the shell is told, as PID 1 of a container is; what comes late is delivered too."""
    machine = Machine(tmp_path, influx, database)
    with Shell(machine, SCRIPTS[name](), name) as shell:
        wait_for(lambda: bool(stored(influx, database)))
        shell.process.terminate()
        assert shell.process.wait(PATIENCE) == 0
        assert not shell.program_runs(), "a container would kill it now"
    check_stored(influx, database, machine.log.rows)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_pipe_ends_as_a_whole_when_the_program_ends(
    name: str, influx: Influx, database: str, tmp_path: Path
) -> None:
    """Else the other program would go on reading, and write into nothing."""
    machine = Machine(tmp_path, influx, database)
    with Shell(machine, SCRIPTS[name](), name) as shell:
        wait_for(lambda: bool(stored(influx, database)))
        shell.kill_the_program()
        finish(shell.process)  # which waits for each process that holds the standard error
