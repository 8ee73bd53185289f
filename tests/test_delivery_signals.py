"""`--to influxdb` is told to stop: what it read is stored or a dead letter, the rest is left in the pipe."""

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest

from tests.delivery import Sender, mixed, rows_of, sender, stored, understood
from tests.faults import faults
from tests.faults.dialects import DIALECTS
from tests.faults.server import Fault, FaultServer, serving
from tests.influxd import Influx, wait_for
from tests.pipes import reading
from tests.support import Done, finish

TWO = DIALECTS[1]
EXIT_CODE = {signal.SIGTERM: 143, signal.SIGINT: 130}
EACH_SIGNAL = pytest.mark.parametrize("number", EXIT_CODE)
AWAY: dict[str, Fault | None] = {"hangs": faults.hangs, "refuses": None, "busy": faults.busy(503, "300")}
EACH_AWAY = pytest.mark.parametrize("trouble", AWAY)
SOON, LATE = ("--max-delay", "0"), ("--max-delay", "3600", "--batch-lines", "100000")
UNSTORED = ("undelivered", "rejected")
MUCH = mixed(800)
"""Several times what is read while the server is away."""
FEW = mixed(40)


def end(process: subprocess.Popen[bytes], program: Sender) -> Done:
    done = finish(process)
    program.check_discreet(done)
    return done


def check_accounts(program: Sender, read: bytes, influx: Influx, database: str) -> None:
    """Each record that left the pipe is stored or a dead letter, and none is both."""
    check_nothing_lost(program, read, influx, database)
    assert not stored(influx, database) & rows_of(dead_points(program))


def check_nothing_lost(program: Sender, read: bytes, influx: Influx, database: str) -> None:
    log = understood(read)
    sent, dead = log.good + log.poisoned, dead_points(program)
    assert Counter(dead) <= Counter(sent)
    assert stored(influx, database) | rows_of(dead) == rows_of(sent)
    codes = [letter["code"] for letter in program.letters]
    assert Counter(code for code in codes if code not in UNSTORED) == log.dead


def dead_points(program: Sender) -> list[bytes]:
    return [point for code in UNSTORED for point in program.points(code)]


@contextmanager
def being_away(
    trouble: str, influx: Influx, database: str
) -> Iterator[tuple[FaultServer, Callable[[], None]]]:
    """A server in trouble, and what ends the trouble."""
    fault = AWAY[trouble]

    def recover() -> None:
        server.script.clear()
        server.open()

    with serving(
        TWO, influx, database, *[fault] * 1000 if fault else (), is_open=fault is not None
    ) as server:
        yield server, recover


# A server that is well


@EACH_SIGNAL
def test_an_idle_program_leaves_when_it_is_told(
    number: signal.Signals, influx: Influx, database: str, tmp_path: Path
) -> None:
    with serving(TWO, influx, database) as server:
        program = sender(server, tmp_path, "--drain-time", "3600")
        with reading(program, FEW.data) as (pipe, process):
            wait_for(lambda: stored(influx, database) == FEW.rows)
            process.send_signal(number)
            done = end(process, program)
        assert done.code == EXIT_CODE[number], done.err
        check_accounts(program, pipe.close(), influx, database)


UNFINISHED = {
    "nothing": FEW.data,
    "a_newline": FEW.data[:-1],
    "half_a_line": FEW.data + FEW.data[: FEW.data.index(b"\n") // 2],
}


@pytest.mark.parametrize(("lacks", "number"), list(zip(UNFINISHED, cycle(EXIT_CODE), strict=False)))
def test_a_batch_that_is_not_full_is_stored_first(
    lacks: str, number: signal.Signals, influx: Influx, database: str, tmp_path: Path
) -> None:
    with serving(TWO, influx, database) as server:
        program = sender(server, tmp_path, *LATE)
        with reading(program, UNFINISHED[lacks]) as (pipe, process):
            pipe.wait_until_empty()
            assert not server.writes
            process.send_signal(number)
            done = end(process, program)
        assert done.code == EXIT_CODE[number], done.err
        assert program.points("undelivered") == []
        check_accounts(program, pipe.close(), influx, database)


# A server that is away, and more lines than the program reads meanwhile


@EACH_SIGNAL
@EACH_AWAY
def test_it_leaves_though_the_server_stays_away(
    trouble: str, number: signal.Signals, influx: Influx, database: str, tmp_path: Path
) -> None:
    """All that was read is undelivered, and nothing else was read."""
    options = (*SOON, "--drain-time", "1", "--influx-timeout", "3600", "--influx-version", "auto")
    with being_away(trouble, influx, database) as (server, _):
        program = sender(server, tmp_path, *options)
        with reading(program, MUCH.data) as (pipe, process):
            pipe.wait_until_blocked()
            process.send_signal(number)
            done = end(process, program)
        assert done.code == 4, done.err
        read = pipe.close()
    assert 0 < len(read) < len(MUCH.data)
    assert stored(influx, database) == set()
    check_accounts(program, read, influx, database)


@pytest.mark.parametrize(("trouble", "number"), list(zip(AWAY, cycle(EXIT_CODE), strict=False)))
def test_a_server_comes_back_before_the_time_is_over(
    trouble: str, number: signal.Signals, influx: Influx, database: str, tmp_path: Path
) -> None:
    """The signal ends long waits, so that it is noticed; then the pipe is read to its end."""
    with being_away(trouble, influx, database) as (server, recover):
        program = sender(server, tmp_path, *SOON, "--drain-time", "3600")
        with reading(program, MUCH.data) as (pipe, process):
            pipe.wait_until_blocked()
            process.send_signal(number)
            recover()
            done = end(process, program)
        assert done.code == EXIT_CODE[number], done.err
        assert pipe.close() == MUCH.data
    assert program.points("undelivered") == []
    check_accounts(program, MUCH.data, influx, database)


@EACH_SIGNAL
def test_a_server_hangs_in_a_search_for_bad_lines(
    number: signal.Signals, influx: Influx, database: str, tmp_path: Path
) -> None:
    """Of one package some lines are stored, some refused, and of the others nothing is known.

    Some that are stored may be dead letters too: to send a line twice changes nothing.
    """
    log = mixed(200, poison=5)
    with serving(TWO, influx, database, *[faults.healthy] * 20, *[faults.hangs] * 1000) as server:
        program = sender(server, tmp_path, *LATE, "--drain-time", "1", "--influx-timeout", "3600")
        with reading(program, log.data) as (pipe, process):
            pipe.wait_until_empty()
            process.send_signal(number)
            done = end(process, program)
        assert done.code == 4, done.err
        assert server.script
        check_nothing_lost(program, pipe.close(), influx, database)
    assert stored(influx, database)
    assert program.points("undelivered")


@pytest.mark.parametrize(("first", "second"), [tuple(EXIT_CODE), tuple(reversed(EXIT_CODE))])
def test_a_second_signal_leaves_at_once(
    first: signal.Signals, second: signal.Signals, influx: Influx, database: str, tmp_path: Path
) -> None:
    """The first one alone cannot end it: the server hangs."""
    with being_away("hangs", influx, database) as (server, _):
        program = sender(server, tmp_path, *SOON, "--drain-time", "3600", "--influx-timeout", "3600")
        with reading(program, MUCH.data) as (pipe, process):
            pipe.wait_until_blocked()
            process.send_signal(first)
            time.sleep(0.5)
            assert process.poll() is None
            process.send_signal(second)
            done = end(process, program)
        assert done.code == EXIT_CODE[second], done.err
        assert len(pipe.close()) < len(MUCH.data)
    assert program.points("undelivered") == []
