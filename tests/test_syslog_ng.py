"""deploy/syslog-ng.conf in the real syslog-ng: nothing is lost by a stop, or while the server is away."""

import signal
import time
from pathlib import Path
from typing import Any

from tests.delivery import records, rows_of, stored, understood
from tests.faults.dialects import DIALECTS, Reply
from tests.faults.server import FaultServer, Visit, serving
from tests.influxd import Influx
from tests.shippers import Killer, SyslogNg, check_grows, check_passes, long_line, shipping

TWO = DIALECTS[1]
MANY = understood(records(2000))
PIPE_BYTES, WIDTH = 65_536, 40_000
WIDE = understood(records(2000).replace(b'"body": "{', b'"body": "{' + b" " * WIDTH))
"""More than the pipe and the program hold."""


def writing_to(server: FaultServer, directory: Path, **more: Any) -> SyslogNg:
    return SyslogNg(directory / "syslog-ng", server.environment, **more)


def plain(influx: Influx, database: str, directory: Path) -> SyslogNg:
    settings = {"INFLUX_URL": influx.url, "INFLUX_DATABASE": influx.database(database)}
    return SyslogNg(directory / "syslog-ng", settings)


def slow(visit: Visit) -> Reply:
    time.sleep(0.5)
    return visit.store()


# Lines


def test_a_log_that_grows(influx: Influx, database: str, tmp_path: Path) -> None:
    check_grows(plain(influx, database, tmp_path), influx, database)


def test_long_lines_pass_byte_for_byte(tmp_path: Path) -> None:
    received = tmp_path / "received"
    syslog_ng = SyslogNg(tmp_path / "syslog-ng", program=f"sh -c 'exec cat >>{received}'")
    check_passes(syslog_ng, received)


def test_a_long_line_becomes_its_point(influx: Influx, database: str, tmp_path: Path) -> None:
    log = understood(long_line(1) + records(3))
    syslog_ng = plain(influx, database, tmp_path)
    with shipping(syslog_ng):
        syslog_ng.write(log.data)
        syslog_ng.check_arrives(influx, database, log.rows)


# It is stopped, or told to read its configuration again


def test_syslog_ng_is_stopped_and_started_again(influx: Influx, database: str, tmp_path: Path) -> None:
    """In the middle of a log, because the server is slow."""
    with serving(TWO, influx, database, *[slow] * 10_000) as server:
        syslog_ng = writing_to(server, tmp_path)
        syslog_ng.write(WIDE.data)
        for _ in range(2):
            before = len(server.writes)
            with shipping(syslog_ng):
                syslog_ng.wait_for(lambda before=before: len(server.writes) > before)  # type: ignore[misc]
        assert len(stored(influx, database)) < len(WIDE.good)
        with shipping(syslog_ng):
            syslog_ng.check_arrives(influx, database, WIDE.rows)


def test_a_reload_leaves_the_program_alone(influx: Influx, database: str, tmp_path: Path) -> None:
    with serving(TWO, influx, database, *[slow] * 10_000) as server:
        syslog_ng = writing_to(server, tmp_path)
        syslog_ng.write(MANY.data)
        with shipping(syslog_ng):
            syslog_ng.wait_for(lambda: bool(server.writes))
            before = syslog_ng.programs
            syslog_ng.signal(signal.SIGHUP)
            syslog_ng.check_arrives(influx, database, MANY.rows)
            assert syslog_ng.programs == before


# The server is away


def test_the_server_is_away(influx: Influx, database: str, tmp_path: Path) -> None:
    """syslog-ng waits with the program, in front of a full pipe."""
    with serving(TWO, influx, database, is_open=False) as server:
        syslog_ng = writing_to(server, tmp_path)
        with shipping(syslog_ng):
            syslog_ng.write(WIDE.data)
            syslog_ng.wait_for(lambda: "InfluxDB takes nothing for now" in syslog_ng.said)
            time.sleep(3)
            server.open()
            syslog_ng.check_arrives(influx, database, WIDE.rows)


def test_syslog_ng_is_stopped_while_the_server_is_away(influx: Influx, database: str, tmp_path: Path) -> None:
    """What the program had in hand is a dead letter, with its points; what stood in the full pipe is lost."""
    with serving(TWO, influx, database, is_open=False) as server:
        syslog_ng = writing_to(server, tmp_path, changes={"--drain-time 60": "--drain-time 2"})
        syslog_ng.write(WIDE.data)
        with shipping(syslog_ng):
            syslog_ng.wait_for(lambda: "InfluxDB takes nothing for now" in syslog_ng.said)
        letters = [letter for letter in syslog_ng.letters if letter["code"] == "undelivered"]
        dead = rows_of(point.encode() + b"\n" for letter in letters for point in letter["points"])
        server.open()
        with shipping(syslog_ng):
            syslog_ng.wait_for(lambda: rows_of(WIDE.good[-1:]) <= stored(influx, database))
        lost = WIDE.rows - dead - stored(influx, database)
        assert stored(influx, database) <= WIDE.rows
        assert len(lost) <= PIPE_BYTES // WIDTH + 1


# What it cannot do


def test_it_goes_on_when_the_program_was_killed(influx: Influx, database: str, tmp_path: Path) -> None:
    """What was in the pipe and in the program is lost: `python -m benchmarks.shippers` measures how much."""
    killer = Killer(300)
    log = understood(records(2100))
    last = understood(records(2100)[len(MANY.data) :])
    with serving(TWO, influx, database, *[killer] * 10_000) as server:
        syslog_ng = writing_to(server, tmp_path)
        killer.kill = syslog_ng.kill_programs
        with shipping(syslog_ng):
            syslog_ng.write(MANY.data)
            syslog_ng.wait_for(lambda: killer.kills > 0)
            killer.kill = lambda: None
            syslog_ng.wait_for(lambda: bool(syslog_ng.programs))
            syslog_ng.write(log.data[len(MANY.data) :])
            syslog_ng.wait_for(lambda: last.rows <= stored(influx, database))
        assert stored(influx, database) <= log.rows
