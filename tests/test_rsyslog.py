"""deploy/rsyslog.conf in the real rsyslog: what is in the log comes into the database, whoever is killed."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.delivery import records, stored, understood
from tests.faults.dialects import DIALECTS, Reply
from tests.faults.server import FaultServer, Visit, serving
from tests.influxd import Influx, wait_for
from tests.shippers import (
    OURS,
    Killer,
    Rsyslog,
    check_grows,
    check_passes,
    long_line,
    script,
    shipping,
    substituted,
)

TWO = DIALECTS[1]
MANY = understood(records(2000))
EVERY, KILLS = 300, 6
"""The program is killed each so many lines, which makes so many times."""
AWAY = "InfluxDB takes nothing for now"
SINGLE = {'useTransactions="on"': 'useTransactions="off"'}
EACH_WAY = pytest.mark.parametrize("changes", [{}, SINGLE], ids=["transactions", "single"])
RECORDER = """
import os, sys
with open(sys.argv[1], "ab", buffering=0) as received:
    os.write(1, b"OK\\n")
    for line in sys.stdin.buffer:
        if line in (b"BEGIN TRANSACTION\\n", b"COMMIT TRANSACTION\\n"):
            os.write(1, b"OK\\n")
        else:
            received.write(line)
            os.write(1, b"DEFER_COMMIT\\n")
"""
"""Takes lines from rsyslog as the program does, and keeps them."""
CRASHING = """
import os, signal, subprocess, sys
every, deaths, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
signal.signal(signal.SIGTERM, lambda *_: None)  # the end of the input tells the program as well
program = subprocess.Popen(command, stdin=subprocess.PIPE)
for line in sys.stdin.buffer:
    program.stdin.write(line)
    program.stdin.flush()
    every -= line not in (b"BEGIN TRANSACTION\\n", b"COMMIT TRANSACTION\\n")
    if every == 0:
        program.kill()
        program.wait()
        with open(deaths, "a") as file:
            file.write("x")
        os.kill(os.getpid(), signal.SIGKILL)
program.stdin.close()
sys.exit(program.wait())
"""
"""Runs a program, and dies with it after so many lines."""


def writing_to(server: FaultServer, directory: Path, **more: Any) -> Rsyslog:
    return Rsyslog(directory / "rsyslog", server.environment, **more)


def plain(influx: Influx, database: str, directory: Path) -> Rsyslog:
    settings = {"INFLUX_URL": influx.url, "INFLUX_DATABASE": influx.database(database)}
    return Rsyslog(directory / "rsyslog", settings)


def test_a_configuration_is_changed_where_it_says_so() -> None:
    text = "## in /etc/rsyslog.conf\nfile=/app/log/x\n"
    assert substituted(text, {"/app/log": "/tmp/y"}) == "## in /etc/rsyslog.conf\nfile=/tmp/y/x\n"
    for wrong in ({"/app/log": "y", "/etc/rsyslog.conf": "z"}, {"file": "File"}):
        with pytest.raises(AssertionError, match="the configuration"):
            substituted(text, wrong)


# Lines


def test_a_log_that_grows(influx: Influx, database: str, tmp_path: Path) -> None:
    check_grows(plain(influx, database, tmp_path), influx, database)


def test_long_lines_pass_byte_for_byte(tmp_path: Path) -> None:
    received = tmp_path / "received"
    rsyslog = Rsyslog(tmp_path / "rsyslog", program=script(tmp_path / "recorder.py", RECORDER, received))
    check_passes(rsyslog, received)


def test_a_long_line_becomes_its_point(influx: Influx, database: str, tmp_path: Path) -> None:
    log = understood(long_line(1) + records(3))
    rsyslog = plain(influx, database, tmp_path)
    with shipping(rsyslog):
        rsyslog.write(log.data)
        rsyslog.check_arrives(influx, database, log.rows)


# The program is killed


@EACH_WAY
def test_the_program_is_killed_when_it_has_stored(
    changes: dict[str, str], influx: Influx, database: str, tmp_path: Path
) -> None:
    """Before it could say so."""
    killer = Killer(EVERY)
    with serving(TWO, influx, database, *[killer] * 10_000) as server:
        rsyslog = writing_to(server, tmp_path, changes=changes)
        killer.kill = rsyslog.kill_programs
        with shipping(rsyslog):
            rsyslog.write(MANY.data)
            rsyslog.check_arrives(influx, database, MANY.rows)
    assert killer.kills == KILLS


@EACH_WAY
def test_the_program_is_killed_when_it_has_read(
    changes: dict[str, str], influx: Influx, database: str, tmp_path: Path
) -> None:
    """In the middle of a transaction, where there is one."""
    deaths = tmp_path / "deaths"
    crashing = script(tmp_path / "crashing.py", CRASHING, EVERY, deaths, OURS)
    with serving(TWO, influx, database) as server:
        rsyslog = writing_to(server, tmp_path, program=crashing, changes=changes)
        with shipping(rsyslog):
            rsyslog.write(MANY.data)
            rsyslog.check_arrives(influx, database, MANY.rows)
    assert deaths.stat().st_size >= KILLS


def test_the_program_cannot_start(influx: Influx, database: str, tmp_path: Path) -> None:
    """Because of a wrong setting, say: that kills rsyslog 8.2302, but not the queue on the disk."""
    rsyslog = plain(influx, database, tmp_path)
    settings = rsyslog.directory / "enricher.env"
    good = settings.read_text()
    rsyslog.write(MANY.data)
    settings.write_text(good + "DIAL_ENRICHER_SCHEMA=wrong\n")
    for attempt in (1, 2):
        rsyslog.start()
        wait_for(lambda attempt=attempt: rsyslog.said.count("Error: ") >= attempt)  # type: ignore[misc]
        rsyslog.end()
    settings.write_text(good)
    with shipping(rsyslog):
        rsyslog.check_arrives(influx, database, MANY.rows)


# The server is away


def test_the_server_is_away_for_longer_than_rsyslog_waits(
    influx: Influx, database: str, tmp_path: Path
) -> None:
    """The program gives signs of life, so it is not started anew."""
    patience = {'confirmTimeout="30000"': 'confirmTimeout="5000"'}
    with serving(TWO, influx, database, is_open=False) as server:
        rsyslog = writing_to(server, tmp_path, changes=patience)
        with shipping(rsyslog):
            rsyslog.write(MANY.data)
            rsyslog.wait_for(lambda: bool(rsyslog.programs))
            before = rsyslog.programs
            time.sleep(12)
            assert stored(influx, database) == set()
            server.open()
            rsyslog.check_arrives(influx, database, MANY.rows)
            assert rsyslog.programs == before


# rsyslog is stopped


def slow(visit: Visit) -> Reply:
    time.sleep(0.7)
    return visit.store()


@pytest.mark.parametrize("way", ["stop", "end"])
def test_rsyslog_is_stopped_and_started_again(
    way: str, influx: Influx, database: str, tmp_path: Path
) -> None:
    """Or killed; in the middle of a log, with a queue that is full, because the server is slow."""
    log = understood(records(4000))
    with serving(TWO, influx, database, *[slow] * 10_000) as server:
        rsyslog = writing_to(server, tmp_path)
        rsyslog.write(log.data)
        for _ in range(3):
            third = len(server.writes) + 3
            rsyslog.start()
            try:
                rsyslog.wait_for(lambda third=third: len(server.writes) >= third)  # type: ignore[misc]
                getattr(rsyslog, way)()
            finally:
                rsyslog.end()
        assert len(stored(influx, database)) < len(log.good)
        with shipping(rsyslog):
            rsyslog.check_arrives(influx, database, log.rows)


def test_rsyslog_is_stopped_while_the_server_is_away(influx: Influx, database: str, tmp_path: Path) -> None:
    """The transaction under way is not in rsyslog's queue any more; the program keeps it."""
    log = understood(records(2001))
    with serving(TWO, influx, database, is_open=False) as server:
        rsyslog = writing_to(server, tmp_path)
        rsyslog.write(MANY.data)
        for _ in range(2):
            more = rsyslog.said.count(AWAY) + 1
            with shipping(rsyslog):
                rsyslog.wait_for(lambda more=more: rsyslog.said.count(AWAY) >= more)  # type: ignore[misc]
        assert stored(influx, database) == set()
        server.open()
        with shipping(rsyslog):
            rsyslog.write(log.data[len(MANY.data) :])
            rsyslog.check_arrives(influx, database, log.rows)
