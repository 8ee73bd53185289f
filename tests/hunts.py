"""`kill -9` again and again: the program is started as often as it takes until all is in a database."""

import subprocess
import time
from pathlib import Path
from random import Random

from tests.delivery import rows_of, stored
from tests.faults.dialects import DIALECTS
from tests.faults.server import serving
from tests.influxd import Influx
from tests.killing import Quarry, Tally, numbered, wait_until
from tests.support import finish, through

LINES = 3000
"""Of a file."""
PIECE = 12_000
"""Bytes that a file grows by, at the most."""
ROLL = 200_000
"""Bytes of a file before it rolls, at the least."""


def hunt(influx: Influx, database: str, directory: Path, kills: int, seed: int) -> Tally:
    """Kills the program so many times while it brings one file after the other into a database."""
    random = Random(seed)
    tally = Tally()
    while tally.kills < kills:
        name = f"{database}_{tally.runs}"
        file = directory / f"{name}.log"
        data = numbered(range(LINES), name)
        file.write_bytes(data)
        with serving(DIALECTS[0], influx, name) as server:
            quarry = Quarry(server, directory, tally, random)
            quarry.state = directory / f"{name}.state"
            quarry.first[file] = 0
            while tally.kills < kills and quarry.hit(quarry.start(file)):
                pass
            process = quarry.start(file)
            done = finish(process)
            assert (done.code, done.out, done.err) == (0, b"", ""), done
            quarry.end_run()
        compare(influx, name, data, tally)
        file.unlink()
    return tally


class Growing:
    """Files that grow by pieces that end anywhere, and roll to new names as those of DIAL Core do."""

    def __init__(self, quarry: Quarry, project: str, random: Random) -> None:
        self._quarry = quarry
        self._project = project
        self._random = random
        self._number = 0
        """Of the next record."""
        self._rest = b""
        """Of the record whose beginning is written."""
        self._next = 0.0
        self.data = b""
        self._roll()

    def _roll(self) -> None:
        self._file = self._quarry.directory / f"aidial-2026-03-02.{len(self._quarry.first)}.log"
        self._quarry.first[self._file] = self._number
        self._file.touch()

    def grow(self) -> None:
        """Grows by a piece when it is time to."""
        if time.monotonic() >= self._next:
            self.write(self._random.randint(0, PIECE))
            self._next = time.monotonic() + 0.01

    def end(self) -> None:
        """Writes the last record to its end."""
        self.write(len(self._rest))

    def write(self, size: int) -> None:
        """Grows by so many bytes."""
        while len(self._rest) < size:
            self._rest += numbered([self._number], self._project)
            self._number += 1
        piece, self._rest = self._rest[:size], self._rest[size:]
        self.data += piece
        with self._file.open("ab") as file:
            file.write(piece)
        if not self._rest and self._file.stat().st_size > ROLL:
            self._roll()


def hunt_following(influx: Influx, database: str, directory: Path, kills: int, seed: int) -> Tally:
    """Kills the program so many times while it follows files that grow."""
    random = Random(seed)
    tally = Tally()
    with serving(DIALECTS[0], influx, database) as server:
        quarry = Quarry(server, directory, tally, random)
        log = Growing(quarry, database, random)
        names = ("--follow", directory / "aidial-*.log")
        while tally.kills < kills:
            if random.random() < 0.7:
                assert quarry.hit(quarry.start(*names), log.grow)
            else:
                log.end()
                assert quarry.kill(_idle(quarry, quarry.start(*names)))
        log.end()
        log.write(PIECE)  # so that it is known to be at work before it is told to stop
        log.end()
        process = _idle(quarry, quarry.start(*names))
        process.terminate()
        done = finish(process)
        assert (done.code, done.out, done.err) == (143, b"", ""), done
        quarry.end_run()
    compare(influx, database, log.data, tally)
    return tally


def _idle(quarry: Quarry, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """The program, when it has nothing left to do."""
    wait_until(lambda: quarry.confirmed_now() >= quarry.all, process)
    return process


def compare(influx: Influx, database: str, data: bytes, tally: Tally) -> None:
    """Counts on what is in a database that should hold the points of some lines; it is not needed then."""
    expected, found = rows_of(through(data).lines), stored(influx, database)
    tally.lost += len(expected - found)
    tally.surplus += len(found - expected)
    influx.query("", f'DROP DATABASE "{database}"')
