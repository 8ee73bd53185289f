"""What `kill -9` of the program costs under a shipper: `python -m benchmarks.shippers`.

The real syslog-ng and rsyslog feed the program, with the configurations that ship, and rsyslog without
confirmations too. What a shipper believes to be done, and nobody has any more after a kill, is lost.
"""

import argparse
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.delivery import Row, records, rows_of, stored
from tests.faults.dialects import Two
from tests.faults.server import serving
from tests.influxd import Influx, influxd, wait_for
from tests.shippers import Killer, Rsyslog, Shipper, SyslogNg, shipping
from tests.support import through

WIDTH = 40_000
"""Bytes of a line, as in production."""
PACE = 200
"""Lines a second of a log that grows."""
QUIET_SECONDS = 15.0
"""When nothing has come for so long, nothing will."""
CHECKPOINT = "/var/lib/dial-enricher/rsyslog.checkpoint"
NUMBERS = count()


class Unconfirmed(Rsyslog):
    """rsyslog for which a line is done when it is in the pipe."""

    def _changes(self) -> dict[str, str]:
        off = {f'{name}="on"': f'{name}="off"' for name in ("confirmMessages", "useTransactions")}
        return off | {f"--ack rsyslog --checkpoint {CHECKPOINT} ": ""}

    def _paths(self) -> dict[str, str]:
        return {old: new for old, new in super()._paths().items() if old != CHECKPOINT}


class Log(NamedTuple):
    lines: list[bytes]
    rows: set[Row]


class Loss(NamedTuple):
    kills: int
    lost: int


def log_of(lines: int) -> Log:
    data = records(lines).replace(b'"body": "{', b'"body": "{' + b" " * WIDTH)
    return Log(data.splitlines(keepends=True), rows_of(through(data).lines))


def backlog(kind: type[Shipper], influx: Influx, directory: Path, log: Log, every: int) -> Loss:
    """The log is there already; the program is killed each time so many lines of it have been stored."""
    killer = Killer(every)
    with serving(Two(), influx, directory.name, *[killer] * 1_000_000) as server:
        shipper = kind(directory, server.environment)
        killer.kill = shipper.kill_programs
        shipper.write(b"".join(log.lines))
        with shipping(shipper):
            lost = losses(influx, directory.name, log.rows)
    return Loss(killer.kills, lost)


def growing(kind: type[Shipper], influx: Influx, directory: Path, log: Log, every: int) -> Loss:
    """The log grows; the program is killed each time so many lines have been written."""
    kills = 0
    with serving(Two(), influx, directory.name) as server:
        shipper = kind(directory, server.environment)
        with shipping(shipper):
            for number, line in enumerate(log.lines, 1):
                shipper.write(line)
                time.sleep(1 / PACE)
                if number % every == 0:
                    wait_for(lambda: bool(shipper.programs))
                    shipper.kill_programs()
                    kills += 1
            lost = losses(influx, directory.name, log.rows)
    return Loss(kills, lost)


def losses(influx: Influx, database: str, rows: set[Row]) -> int:
    """How much is not in the database when nothing comes any more."""
    found: set[Row] = set()
    last = time.monotonic()
    while found != rows and time.monotonic() - last < QUIET_SECONDS:
        time.sleep(0.2)
        now = stored(influx, database)
        if now != found:
            found, last = now, time.monotonic()
    assert found <= rows
    return len(rows - found)


WAYS: dict[str, type[Shipper]] = {
    "syslog-ng": SyslogNg,
    "rsyslog without confirmation": Unconfirmed,
    "rsyslog with confirmation": Rsyslog,
}
LOGS: dict[str, Callable[[type[Shipper], Influx, Path, Log, int], Loss]] = {
    "is there already": backlog,
    f"grows by {PACE} lines a second": growing,
}


def main() -> None:
    """Measure, print a table, and fail when rsyslog loses a line with confirmation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shippers", description="Kill the program.")
    parser.add_argument("--lines", type=int, default=2000, metavar="N", help="of the log")
    parser.add_argument("--every", type=int, default=300, metavar="N", help="lines after which to kill")
    arguments = parser.parse_args()
    log = log_of(arguments.lines)
    lost_at_all = dict.fromkeys(WAYS, 0)
    print("| shipper | the log | lines | kills | lost |\n|---|---|---:|---:|---:|")
    with TemporaryDirectory() as name, influxd(Path(name)) as influx:
        for way, kind in WAYS.items():
            for kind_of_log, measure in LOGS.items():
                directory = Path(name) / f"bench_{next(NUMBERS)}"
                kills, lost = measure(kind, influx, directory, log, arguments.every)
                lost_at_all[way] += lost
                print(f"| {way} | {kind_of_log} | {len(log.lines):,} | {kills} | {lost:,} |", flush=True)
    sys.exit(lost_at_all["rsyslog with confirmation"] > 0)


if __name__ == "__main__":
    main()
