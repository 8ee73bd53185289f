"""`--checkpoint` and `kill -9`, at random moments and within each step of a save."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Protocol

import pytest

from tests import trap
from tests.delivery import records
from tests.faults.dialects import DIALECTS
from tests.faults.server import serving
from tests.hunts import LINES, compare, hunt, hunt_following
from tests.influxd import Influx
from tests.killing import Quarry, Tally, kill, marks, numbered, wait_until
from tests.support import PLAIN, finish, start, through

LOG = records(2 * LINES)
POINTS = through(LOG).lines
SEED = 5


@pytest.mark.timeout(1200)
def test_200_kills_at_random_moments(influx: Influx, database: str, tmp_path: Path) -> None:
    tally = hunt(influx, database, tmp_path, kills=200, seed=SEED)
    tally.check()
    assert tally.kills == 200
    assert {"start", "under way"} <= tally.hits.keys(), tally


@pytest.mark.timeout(600)
def test_20_kills_while_it_follows_files(influx: Influx, database: str, tmp_path: Path) -> None:
    tally = hunt_following(influx, database, tmp_path, kills=20, seed=SEED)
    tally.check()
    assert {"idle", "under way"} <= tally.hits.keys(), tally


# Points in a file


class Start(Protocol):
    """Starts the program with a log and a file for points, which lies in the directory of the state."""

    def __call__(self, log: Path, out: Path, env: Mapping[str, str] = ...) -> subprocess.Popen[bytes]: ...


NOTHING: Mapping[str, str] = {}
OFTEN = (*PLAIN, "--batch-lines", "10", "--max-delay", "0", "--log-level", "error")


def _option(log: Path, out: Path, env: Mapping[str, str] = NOTHING) -> subprocess.Popen[bytes]:
    return start(*OFTEN, "--checkpoint", out.with_name("state"), "--output", out, log, env=env)


def _appended(log: Path, out: Path, env: Mapping[str, str] = NOTHING) -> subprocess.Popen[bytes]:
    with out.open("ab") as stdout:
        return start(*OFTEN, "--checkpoint", out.with_name("state"), log, stdout=stdout, env=env)


EACH_FILE = pytest.mark.parametrize("begin", [_option, _appended], ids=["--output", ">>"])


@EACH_FILE
def test_20_kills_while_it_writes_to_a_file(begin: Start, tmp_path: Path) -> None:
    log, out, state = tmp_path / "aidial.log", tmp_path / "points", tmp_path / "state"
    log.write_bytes(LOG)
    out.touch()
    random = Random(SEED)
    kills = part_way = 0
    while kills < 20:
        enough = out.stat().st_size + random.randint(1, 100_000)
        process = begin(log, out)
        wait_until(lambda enough=enough: out.stat().st_size >= enough, process)  # type: ignore[misc]
        if not kill(process):
            check_points(out)
            state.unlink()
            out.unlink()
            out.touch()
            continue
        kills += 1
        (marked,) = [mark["lines"] for mark in marks(state)] or [0]
        whole = [point for point in out.read_bytes().splitlines(keepends=True) if point.endswith(b"\n")]
        assert set(POINTS[:marked]) <= set(whole)
        part_way += 0 < marked < len(POINTS)
    assert part_way
    assert finish(begin(log, out)).code == 0
    check_points(out)


def check_points(out: Path) -> None:
    """Nothing is missing, and all are whole; some may be there twice."""
    assert set(out.read_bytes().splitlines(keepends=True)) == set(POINTS)


@EACH_FILE
@pytest.mark.parametrize("size", [1, 100, len(POINTS[100]) - 1])
def test_half_a_line_that_a_kill_left_is_cut_off(begin: Start, size: int, tmp_path: Path) -> None:
    """It is sent again; nothing is ever written behind it."""
    log, out = tmp_path / "aidial.log", tmp_path / "points"
    log.write_bytes(b"".join(LOG.splitlines(keepends=True)[:100]))
    assert finish(begin(log, out)).code == 0
    with out.open("ab") as file:
        file.write(POINTS[100][:size])
    log.write_bytes(LOG)
    assert finish(begin(log, out)).code == 0
    assert out.read_bytes().splitlines(keepends=True) == POINTS


# A kill within a save


@pytest.mark.parametrize("save", [1, 2, 3])
@pytest.mark.parametrize(("step", "when"), trap.KILLS)
def test_a_kill_within_a_save(
    step: str, when: str, save: int, influx: Influx, database: str, tmp_path: Path
) -> None:
    """The checkpoint is the old one or the new one, and whole: the new one once it is renamed."""
    data, file, traps = numbered(range(300), database), tmp_path / "aidial.log", tmp_path / "trap"
    file.write_bytes(data)
    tally = Tally()
    with serving(DIALECTS[0], influx, database) as server:
        quarry = Quarry(server, tmp_path, tally, Random(save))
        quarry.first[file] = 0
        process = quarry.start(file, env=trap.environment(traps, step, when, save))
        assert process.wait() == -9
        quarry.kill(process)
        renamed = (step, when) in (("rename", "after"), ("directory", "before"), ("directory", "after"))
        saved = [b"", *trap.documents(traps)]
        assert quarry.state.read_bytes() == saved[save if renamed else save - 1]
        done = finish(quarry.start(file))
        assert (done.code, done.out, done.err) == (0, b"", "")
        quarry.end_run()
    compare(influx, database, data, tally)
    tally.part_way = 1
    tally.check()
    assert [mark["lines"] for mark in marks(quarry.state)] == [300]


@EACH_FILE
def test_what_is_written_is_on_the_disk_before_the_mark_is(begin: Start, tmp_path: Path) -> None:
    """A machine that loses its power has to lose the mark too."""
    log, out, letters = tmp_path / "aidial.log", tmp_path / "points", tmp_path / "letters"
    lines = LOG.splitlines(keepends=True)[:300]
    log.write_bytes(b"".join([*lines[:150], b"bad\n", *lines[150:]]))
    never = trap.environment(tmp_path / "trap", "rename", "before", save=1_000_000)
    assert finish(begin(log, out, {**never, "DIAL_ENRICHER_DEAD_LETTER": str(letters)})).code == 0
    calls = trap.calls(tmp_path / "trap")
    renames = [place for place, (call, _) in enumerate(calls) if call == "rename"]
    assert len(renames) >= 3
    assert {str(out), str(letters)} <= {name for call, name in calls if call == "write"}
    for place in renames:
        assert unsynced(calls[:place]) == set()
        assert calls[place + 1] == ("fsync", str(tmp_path))


def unsynced(calls: list[tuple[str, str]]) -> set[str]:
    """The files that were written to and are not on the disk yet."""
    waiting = set()
    for call, name in calls:
        if call == "write":
            waiting.add(name)
        elif call == "fsync":
            waiting.discard(name)
    return waiting
