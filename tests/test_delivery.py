"""`--to influxdb` against a server that fails: nothing is lost or counts twice, only bad records die."""

from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from math import ceil, log2
from pathlib import Path
from random import Random

import pytest

from tests.delivery import Log, check_stored, mixed, records, sender, understood
from tests.faults import faults
from tests.faults.dialects import BEYOND, DIALECTS, EVERY_REFUSAL, WORDS, Dialect
from tests.faults.server import Fault, serving
from tests.influxd import Influx
from tests.support import finish

EACH = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.version)
TWO = DIALECTS[1]
MOST_LINES, MOST_BYTES = 5000, 5_000_000

AT_ONCE = ("--batch-lines", "1000", "--max-delay", "3600")
"""Options for a short test with a single request."""

PASSING: dict[str, Callable[[], Fault]] = {
    "reset": lambda: faults.reset,
    "torn": lambda: faults.torn,
    "lost_answer": lambda: faults.lost_answer,
    "cut_answer": lambda: faults.cut_answer,
    "garbage": lambda: faults.garbage,
    "refused": lambda: faults.refused(0.3),
    "hangs": lambda: faults.hangs,
    "slow": lambda: faults.slow,
    "endless_headers": lambda: faults.endless(b"HTTP/1.1 204 No Content\r\nX-Long: "),
    "endless_body": lambda: faults.endless(b"HTTP/1.1 500 Oops\r\nContent-Length: 100000\r\n\r\n"),
    "too_many_soon": lambda: faults.busy(429, "1"),
    "too_many": lambda: faults.busy(429),
    "unavailable_soon": lambda: faults.busy(503, "1"),
    "unavailable_until": lambda: faults.busy(503, faults.http_date(2)),
    "unavailable_since": lambda: faults.busy(503, faults.http_date(-3600)),
    "unavailable_somehow": lambda: faults.busy(503, "when it's ready"),
    "unavailable_before": lambda: faults.busy(503, "-5"),
    "unavailable": lambda: faults.busy(503),
    "internal": lambda: faults.answers(500, b'{"code":"internal error","message":"unexpected"}'),
    "bad_gateway": lambda: faults.page(502),
    "gateway_timeout": lambda: faults.answers(504, b"\xff\xfe\x00 no text \x80"),
    "mislabelled": lambda: faults.answers(500, b"no gzip", Content_Encoding="gzip"),
}
"""What a program that tries again gets over. Made when they are needed: some tell the time."""


@EACH
def test_a_healthy_server_gets_each_line_once(
    dialect: Dialect, influx: Influx, database: str, tmp_path: Path
) -> None:
    log = mixed()
    file = tmp_path / "aidial.log"
    file.write_bytes(log.data)
    with serving(dialect, influx, database) as server:
        program = sender(server, tmp_path)
        assert program.send(b"", file).code == 0
        assert sorted(point for write in server.writes for point in write.lines) == sorted(log.good)
        for write in server.writes:
            assert write.target == dialect.target
            assert write.headers["Authorization"] == dialect.authorization
            assert write.headers["Content-Type"] == "text/plain; charset=utf-8"
            assert write.headers["Content-Encoding"] == "gzip"
    check_stored(influx, database, log.rows)
    program.check_dead(log)


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_loses_nothing(name: str, influx: Influx, database: str, tmp_path: Path) -> None:
    check_delivered(mixed(100, poison=2), lambda: [PASSING[name]()] * 2, influx, database, tmp_path)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_bad_day(seed: int, influx: Influx, database: str, tmp_path: Path) -> None:
    """All of it, in any order, and healthy moments between."""
    quick = [name for name in PASSING if "soon" not in name and "until" not in name]

    def script() -> list[Fault]:
        names = Random(seed).choices(quick, k=10)
        return [part for name in names for part in (PASSING[name](), faults.healthy)]

    check_delivered(mixed(400, poison=5), script, influx, database, tmp_path, "--batch-lines", "20")


def check_delivered(
    log: Log,
    script: Callable[[], list[Fault]],
    influx: Influx,
    database: str,
    directory: Path,
    *options: str,
) -> None:
    """Sends a log to each version at once, and checks that the script was played and nothing was lost."""
    file = directory / "aidial.log"
    file.write_bytes(log.data)
    with ExitStack() as stack:
        servers = [
            stack.enter_context(serving(dialect, influx, f"{database}_{dialect.version}", *script()))
            for dialect in DIALECTS
        ]
        programs = [
            sender(server, directory / str(server.dialect.version), *options, "--retry-time", "100")
            for server in servers
        ]
        processes = [program.start(file) for program in programs]
        for server, program, process in zip(servers, programs, processes, strict=True):
            done = finish(process)
            program.check_discreet(done)
            assert done.code == 0, done.err
            assert server.script == []
            assert len(server.writes) < 80
            check_stored(influx, f"{database}_{server.dialect.version}", log.rows)
            program.check_dead(log)


@pytest.mark.parametrize("dialect", EVERY_REFUSAL, ids=lambda dialect: type(dialect).__name__)
def test_refused_records_die_alone(dialect: Dialect, influx: Influx, database: str, tmp_path: Path) -> None:
    lines, bad = 600, 8
    log = mixed(lines, poison=bad)
    with serving(dialect, influx, database) as server:
        program = sender(server, tmp_path, "--batch-lines", "300")
        done = program.send(log.data)
        assert done.code == 0, done.err
        assert len(server.writes) <= 4 + bad * 2 * ceil(log2(lines))
    check_stored(influx, database, log.rows)
    program.check_dead(log)
    details = [letter["detail"] for letter in program.letters if letter["code"] == "rejected"]
    assert all(WORDS in detail or BEYOND in detail for detail in details), details
    assert len(details) == bad


@EACH
def test_a_batch_of_which_nothing_is_good(
    dialect: Dialect, influx: Influx, database: str, tmp_path: Path
) -> None:
    log = understood(records(30, poison=range(30)))
    with serving(dialect, influx, database) as server:
        program = sender(server, tmp_path)
        assert program.send(log.data).code == 0
    check_stored(influx, database, set())
    program.check_dead(log)


def test_refusals_and_outages_together(influx: Influx, database: str, tmp_path: Path) -> None:
    """An answer is lost or late in the middle of a search for bad lines."""
    log = mixed(200, poison=6)
    script = [faults.healthy, faults.reset, faults.healthy, faults.busy(503), faults.lost_answer] * 3
    with serving(TWO, influx, database, *script) as server:
        program = sender(server, tmp_path)
        assert program.send(log.data).code == 0
        assert server.script == []
    check_stored(influx, database, log.rows)
    program.check_dead(log)


@EACH
def test_a_request_that_is_too_large_is_halved(
    dialect: Dialect, influx: Influx, database: str, tmp_path: Path
) -> None:
    log = mixed(60)
    too_long = max(log.good, key=len)
    limit = len(too_long) - 1
    with serving(dialect, influx, database, most_bytes=limit) as server:
        program = sender(server, tmp_path)
        assert program.send(log.data).code == 0
        assert len(server.writes) < 3 * len(log.good)
    check_stored(influx, database, log._replace(good=[one for one in log.good if len(one) <= limit]).rows)
    program.check_dead(log, points=[one for one in log.good if len(one) > limit])


@pytest.mark.parametrize(("count", "length"), [(11_000, 1), (300, 40_000)])
def test_requests_have_bounded_sizes(
    count: int, length: int, influx: Influx, database: str, tmp_path: Path
) -> None:
    log = understood(records(count).replace(b"chat-1", b"c" * length))
    file = tmp_path / "aidial.log"
    file.write_bytes(log.data)
    with serving(TWO, influx, database) as server:
        options = ("--batch-lines", str(count), "--max-delay", "3600", "--influx-timeout", "60")
        program = sender(server, tmp_path, *options)
        assert program.send(b"", file).code == 0
        lines = [len(write.lines) for write in server.writes]
        sizes = [sum(map(len, write.lines)) for write in server.writes]
    assert sum(lines) == len(log.good)
    assert max(lines) > MOST_LINES // 2 or max(sizes) > MOST_BYTES // 2
    assert max(lines) <= MOST_LINES
    assert max(sizes) <= MOST_BYTES
    check_stored(influx, database, log.rows)


@pytest.mark.parametrize("retry_after", ["2", "date"])
def test_it_waits_as_long_as_it_is_asked_to(
    retry_after: str, influx: Influx, database: str, tmp_path: Path
) -> None:
    log = mixed(50)
    fault = faults.busy(503, faults.http_date(4) if retry_after == "date" else retry_after)
    with serving(TWO, influx, database, fault) as server:
        program = sender(server, tmp_path, *AT_ONCE)
        assert program.send(log.data).code == 0
        first, second = server.writes
        assert second.time - first.time >= 1.5
    check_stored(influx, database, log.rows)


def test_it_tries_less_and_less_often(influx: Influx, database: str, tmp_path: Path) -> None:
    log = mixed(50)
    with serving(TWO, influx, database, *[faults.busy(503)] * 5) as server:
        program = sender(server, tmp_path, *AT_ONCE)
        assert program.send(log.data).code == 0
        waits = [after.time - before.time for before, after in pairwise(server.writes)]
        assert len(waits) == 5
        assert min(waits) > 0.05
        assert max(waits[3:]) > 2 * min(waits[:2])
    check_stored(influx, database, log.rows)
