"""When points cannot be delivered: it stops or goes on, and what is undelivered is in the dead letters."""

import fcntl
import signal
import struct
import subprocess
import termios
from collections import Counter
from pathlib import Path

import pytest

from tests.delivery import (
    Sender,
    check_stored,
    mixed,
    record,
    records,
    rows_of,
    sender,
    stored,
    understood,
)
from tests.faults import faults
from tests.faults.dialects import DIALECTS, Dialect
from tests.faults.server import Fault, serving
from tests.influxd import Influx, wait_for
from tests.support import PATIENCE, Done, feed, finish, line

EACH = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.version)
TWO = DIALECTS[1]
AT_ONCE = ("--batch-lines", "1000", "--max-delay", "0.5")
"""Options with which all is read before anything is sent."""
MISCONFIGURED: dict[str, Fault] = {
    "unauthorized": faults.answers(401, b'{"code":"unauthorized","message":"unauthorized access"}'),
    "forbidden": faults.answers(403, b'{"code":"forbidden","message":"insufficient permissions for write"}'),
    "not_found": faults.answers(404, b'{"code":"not found","message":"bucket \\"x\\" not found"}'),
    "no_page": faults.page(404),
    "method": faults.answers(405),
    "moved": faults.answers(301, Location="https://elsewhere.invalid/api/v2/write", Content_Length="0"),
    "login": faults.page(200),
    "tls_port": faults.answers(400, b"Client sent an HTTP request to an HTTPS server.\n"),
}


@EACH
@pytest.mark.parametrize("name", MISCONFIGURED)
def test_it_stops_when_somebody_has_to_act(
    name: str, dialect: Dialect, influx: Influx, database: str, tmp_path: Path
) -> None:
    data = records(200)
    with serving(dialect, influx, database, *[MISCONFIGURED[name]] * 100) as server:
        program = sender(server, tmp_path)
        program.check_stopped(program.send(data), "InfluxDB", "INFLUX", "127.0.0.1")
        assert len(server.writes) <= 4
    check_stored(influx, database, set())
    check_prefix(program, data)


def check_prefix(program: Sender, data: bytes) -> None:
    """What was read is undelivered, each record once; a pipe was not necessarily read to its end."""
    lines = [letter["line"] for letter in program.letters if letter["code"] == "undelivered"]
    assert sorted(lines) == list(range(1, len(lines) + 1))
    assert lines
    assert Counter(program.points("undelivered")) == Counter(understood(data).good[: len(lines)])


def test_no_record_is_broken_by_the_stop(influx: Influx, database: str, tmp_path: Path) -> None:
    """It may stop in the middle of a line, but the half that was read is no record."""
    with serving(TWO, influx, database, *[MISCONFIGURED["unauthorized"]] * 100) as server:
        program = sender(server, tmp_path)
        program.check_stopped(program.send(records(400)), "unauthorized")
    assert {letter["code"] for letter in program.letters} == {"undelivered"}


def test_a_setting_goes_wrong_on_the_way(influx: Influx, database: str, tmp_path: Path) -> None:
    """A token is withdrawn: what was stored is stored, the rest of what was read is undelivered."""
    data = records(600)
    file = tmp_path / "aidial.log"
    file.write_bytes(data)
    script = [faults.healthy] * 2 + [MISCONFIGURED["unauthorized"]] * 100
    with serving(TWO, influx, database, *script) as server:
        program = sender(server, tmp_path)
        done = program.send(b"", file)
        program.check_stopped(done, "InfluxDB", "INFLUX", "127.0.0.1")
    found, undelivered = stored(influx, database), rows_of(program.points("undelivered"))
    whole = understood(data).good
    assert not found & undelivered
    assert found | undelivered == rows_of(whole[: len(found) + len(undelivered)])


@pytest.mark.parametrize("trouble", ["hangs", "down", "busy", "busy_for_days", "busy_for_ages"])
def test_a_long_outage(trouble: str, influx: Influx, database: str, tmp_path: Path) -> None:
    """Everything is in the dead letters, from where it can be sent later."""
    log = mixed(150)
    script = {
        "hangs": faults.hangs,
        "busy": faults.busy(503),
        "busy_for_days": faults.busy(503, "259200"),
        "busy_for_ages": faults.busy(429, "9" * 400),
    }
    faulty = [script[trouble]] * 1000 if trouble in script else []
    with serving(TWO, influx, database, *faulty, is_open=trouble != "down") as server:
        program = sender(server, tmp_path, "--retry-time", "1")
        done = program.send(log.data)
        assert done.code == 4, done.err
    check_stored(influx, database, set())
    program.check_dead(log, "undelivered", log.good)
    influx.write(database, b"".join(program.points("undelivered")))
    check_stored(influx, database, log.rows)


def test_no_patience_at_all(influx: Influx, database: str, tmp_path: Path) -> None:
    log = mixed(150)
    with serving(TWO, influx, database, faults.busy(503)) as server:
        program = sender(server, tmp_path, "--retry-time", "0")
        assert program.send(log.data).code == 4
        assert server.writes[0].lines
        refused = server.writes[0].lines
    check_stored(influx, database, rows_of(set(log.good) - set(refused)))
    program.check_dead(log, "undelivered", refused)


def test_an_outage_among_halves(influx: Influx, database: str, tmp_path: Path) -> None:
    """The server goes away while a request that was too large is sent in parts."""
    log = mixed(150)
    size = sum(map(len, log.good))
    script = [faults.healthy] * 3 + [faults.busy(503)] * 1000
    with serving(TWO, influx, database, *script, most_bytes=size // 3) as server:
        program = sender(server, tmp_path, "--retry-time", "0", *AT_ONCE)
        assert program.send(log.data).code == 4
    left = program.points("undelivered")
    assert 0 < len(left) < len(log.good)
    check_stored(influx, database, log.rows - rows_of(left))
    program.check_dead(log, "undelivered", left)


def test_the_stream_goes_on_after_an_outage(influx: Influx, database: str, tmp_path: Path) -> None:
    """What comes while the server is away is undelivered; once it is back, all is stored."""
    program, one = None, line(record(1))
    with serving(TWO, influx, database, is_open=False) as server:
        program = sender(server, tmp_path, "--retry-time", "0.5", "--max-delay", "0")
        process = program.start()
        feed(process, one)
        wait_for(lambda: len(program.letters) == 1)
        server.open()
        feed(process, line(record(2)))
        wait_for(lambda: len(stored(influx, database)) == 1)
        server.shut()
        feed(process, line(record(3)))
        wait_for(lambda: len(program.letters) == 2)
        server.open()
        done = finish(process, line(record(4)))
        program.check_discreet(done)
        assert done.code == 4
    log = understood(one + line(record(2)) + line(record(3)) + line(record(4)))
    check_stored(influx, database, rows_of(log.good[1::2]))
    program.check_dead(log, "undelivered", log.good[0::2])


EXIT_CODE = {signal.SIGTERM: 143, signal.SIGINT: 130}


@pytest.mark.parametrize("number", EXIT_CODE)
def test_a_signal_finds_everything_stored(
    number: signal.Signals, influx: Influx, database: str, tmp_path: Path
) -> None:
    """What was read, and waited for more, is sent; the server needs a few tries."""
    log = mixed(200, poison=3)
    with serving(TWO, influx, database, faults.lost_answer, faults.busy(503)) as server:
        program = sender(server, tmp_path, "--drain-time", "60", *AT_ONCE)
        process = started(program, log.data)
        done = told(program, process, number)
        assert done.code == EXIT_CODE[number], done.err
        assert server.script == []
    check_stored(influx, database, log.rows)
    program.check_dead(log)


@pytest.mark.parametrize("number", EXIT_CODE)
@pytest.mark.parametrize("trouble", ["hangs", "busy", "down"])
def test_a_signal_in_an_outage(
    number: signal.Signals, trouble: str, influx: Influx, database: str, tmp_path: Path
) -> None:
    """It does not wait for ever: in the end all that was read is in the dead letters."""
    log = mixed(200)
    fault = {"hangs": faults.hangs, "busy": faults.busy(503, "3600"), "down": faults.refused(3600)}[trouble]
    with serving(TWO, influx, database, *[fault] * 1000) as server:
        program = sender(server, tmp_path, "--drain-time", "1", "--influx-timeout", "3600", *AT_ONCE)
        process = started(program, log.data)
        wait_for(lambda: bool(server.writes))
        done = told(program, process, number)
        assert done.code == 4, done.err
    check_stored(influx, database, set())
    program.check_dead(log, "undelivered", log.good)


def started(program: Sender, data: bytes) -> subprocess.Popen[bytes]:
    """The program, which has begun to read what is in its pipe; the pipe stays open."""
    process = program.start()
    feed(process, data)
    assert process.stdin is not None
    pipe, size = process.stdin.fileno(), len(data)
    wait_for(lambda: waiting(pipe) < min(size, 1 << 16))
    return process


def waiting(pipe: int) -> int:
    """The bytes that nobody has read yet."""
    (count,) = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"1234"))
    return int(count)


def told(program: Sender, process: subprocess.Popen[bytes], number: signal.Signals) -> Done:
    """The end of a program that is told to stop."""
    process.send_signal(number)
    process.wait(PATIENCE)
    done = finish(process)
    program.check_discreet(done)
    return done
