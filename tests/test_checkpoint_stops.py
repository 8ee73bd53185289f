"""A run with `--checkpoint` that cannot go on: the next one does what is left, and passes no record over."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import trap
from tests.delivery import Log, Sender, check_stored, mixed, record, sender, stored, understood
from tests.faults import faults
from tests.faults.dialects import DIALECTS, Reply
from tests.faults.server import Fault, Visit, serving
from tests.influxd import Influx
from tests.killing import marks, numbers_of, wait_until
from tests.memory import Program, lines
from tests.support import finish, line, start

LOG = mixed(300, poison=5)
PATIENT = ("--drain-time", "100", "--influx-timeout", "100")
SOON = ("--batch-lines", "20", "--drain-time", "1")
RECORDS = 8000
"""Several times as many as are read at once."""


def test_signals_on_the_way(influx: Influx, database: str, tmp_path: Path) -> None:
    """What was read is delivered, and the next run goes on behind it: nothing is sent twice."""
    file, state = tmp_path / "aidial.log", tmp_path / "state"
    file.write_bytes(lines(0, RECORDS))
    processes: list[subprocess.Popen[bytes]] = []

    def told(number: int) -> Fault:
        def fault(visit: Visit) -> Reply:
            processes[-1].send_signal(number)
            return visit.store()

        return fault

    with serving(DIALECTS[0], influx, database) as server:
        program = sender(server, tmp_path, *PATIENT, "--checkpoint", str(state))
        for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
            server.script[:] = [faults.healthy] * 3 + [told(number)]
            processes.append(program.start(file))
            assert finish(processes[-1]).code == code
            sent = [number for write in server.writes for number in numbers_of(write.lines)]
            assert len(sent) < RECORDS
            assert [mark["lines"] for mark in marks(state)] == [len(sent)]
        assert program.send(b"", file).code == 0
        sent = [number for write in server.writes for number in numbers_of(write.lines)]
    assert sorted(sent) == list(range(RECORDS))


def test_a_kill_within_a_line_of_many_records(influx: Influx, database: str, tmp_path: Path) -> None:
    """Of a line that takes several packages none is done before all are."""
    file, state = tmp_path / "aidial.log", tmp_path / "state"
    file.write_bytes(line([record(number) for number in range(12_000)]) + lines(12_000, 12_002))
    with serving(DIALECTS[0], influx, database, faults.healthy, *[faults.hangs] * 10) as server:
        program = sender(server, tmp_path, "--checkpoint", str(state), "--influx-timeout", "60")
        process = program.start(file)
        wait_until(lambda: len(server.writes) == 3, process)
        process.kill()
        finish(process)
        assert marks(state) == []
        confirmed = [numbers_of(write.lines) for write in server.writes if write.status == 204]
        assert sum(map(len, confirmed)) > 1000
        server.script.clear()
        assert program.send(b"", file).code == 0
    check_stored(influx, database, understood(file.read_bytes()).rows)
    assert [mark["lines"] for mark in marks(state)] == [3]


# The server

BEFORE = 120
"""Points that are stored before the trouble begins."""


class Trouble:
    """A fault that comes when some points are stored; the next request is served, and those after that not.

    Or they are, when the trouble is `short`.
    """

    def __init__(self, fault: Fault, *, short: bool = False) -> None:
        self._fault = fault
        self._short = short
        self._stored = 0
        self.requests = 0
        """Since it began."""

    def __call__(self, visit: Visit) -> Reply | None:
        if self._stored < BEFORE or self.requests == 1 or (self._short and self.requests):
            reply = visit.store()
            self._stored += len(visit.lines) if reply.status == 204 else 0
            self.requests += self._stored >= BEFORE and self.requests > 0
            return reply
        self.requests += 1
        return self._fault(visit)


Stop = Callable[[subprocess.Popen[bytes], Trouble], None]


def by_itself(process: subprocess.Popen[bytes], trouble: Trouble) -> None:
    pass


def by_signal(process: subprocess.Popen[bytes], trouble: Trouble) -> None:
    wait_until(lambda: trouble.requests > 0, process)
    process.terminate()


UNAUTHORIZED = faults.answers(401, b'{"error":"unauthorized"}')
AWAY = faults.busy(503)
NO_PATIENCE = ("--retry-time", "0")
STOPS: dict[str, tuple[Callable[[], Trouble], Stop, tuple[str, ...], int]] = {
    "away_until_signal": (lambda: Trouble(AWAY), by_signal, (), 4),
    "hangs_until_signal": (lambda: Trouble(faults.hangs), by_signal, ("--influx-timeout", "3600"), 4),
    "lost_answers_until_signal": (lambda: Trouble(faults.lost_answer), by_signal, (), 4),
    "away_for_too_long": (lambda: Trouble(AWAY), by_itself, ("--retry-time", "1"), 4),
    "away_for_a_moment": (lambda: Trouble(AWAY, short=True), by_itself, NO_PATIENCE, 4),
    "answer_lost_once": (lambda: Trouble(faults.lost_answer, short=True), by_itself, NO_PATIENCE, 4),
    "unauthorized": (lambda: Trouble(UNAUTHORIZED), by_itself, (), 2),
    "unauthorized_once": (lambda: Trouble(UNAUTHORIZED, short=True), by_itself, (), 2),
}


@pytest.mark.parametrize("name", STOPS)
def test_what_is_not_delivered_is_read_again(
    name: str, influx: Influx, database: str, tmp_path: Path
) -> None:
    """It gets no letter, and no mark is set behind it, nor behind what came later and was stored."""
    make, stop, options, code = STOPS[name]
    file, state = tmp_path / "aidial.log", tmp_path / "state"
    file.write_bytes(LOG.data)
    good = letters_of_a_good_run(influx, f"{database}_good", tmp_path / "good")
    trouble = make()
    with serving(DIALECTS[0], influx, database, *[trouble] * 1000) as server:
        program = sender(server, tmp_path, *SOON, "--checkpoint", str(state), *options)
        process = program.start(file)
        stop(process, trouble)
        done = finish(process)
        program.check_discreet(done)
        assert done.code == code, (done.err, program.log_file.read_text())
        (marked,) = [mark["lines"] for mark in marks(state)]
        assert 0 < marked < LOG.data.count(b"\n")
        assert part(LOG, marked).rows <= stored(influx, database)
        assert {letter for letter in good if letter[0] <= marked} <= letters_of(program) <= good
        server.script.clear()
        assert program.send(b"", file).code == 0
    check_stored(influx, database, LOG.rows)
    assert letters_of(program) == good


def letters_of(program: Sender) -> set[tuple[int, str, str]]:
    return {(letter["line"], letter["code"], letter["sha256"]) for letter in program.letters}


def letters_of_a_good_run(influx: Influx, database: str, directory: Path) -> set[tuple[int, str, str]]:
    with serving(DIALECTS[0], influx, database) as server:
        program = sender(server, directory)
        assert program.send(LOG.data).code == 0
    return letters_of(program)


def part(log: Log, count: int) -> Log:
    """The first lines of a log."""
    return understood(b"".join(log.data.splitlines(keepends=True)[:count]))


def test_the_file_for_letters_is_full(influx: Influx, database: str, tmp_path: Path) -> None:
    """No record that has no letter is passed over: with room the next run buries it."""
    file, state = tmp_path / "aidial.log", tmp_path / "state"
    file.write_bytes(LOG.data)
    good = letters_of_a_good_run(influx, f"{database}_good", tmp_path / "good")
    codes: list[int] = []
    with serving(DIALECTS[0], influx, database) as server:
        while 0 not in codes and len(codes) < 50:
            room = ("--dead-letter-max", str(1200 * len(codes) + 1))
            program = sender(server, tmp_path, *SOON, "--checkpoint", str(state), *room)
            done = program.send(b"", file)
            codes.append(done.code)
            if done.code:
                assert "--dead-letter-max" in done.err + program.log_file.read_text()
            marked = max([mark["lines"] for mark in marks(state)], default=0)
            assert {letter for letter in good if letter[0] <= marked} <= letters_of(program)
            assert part(LOG, marked).rows <= stored(influx, database)
    assert codes == [1] * (len(codes) - 1) + [0]
    assert len(codes) > 4
    assert letters_of(program) == good
    check_stored(influx, database, LOG.rows)


# The disk

FAILURES = [("open", "ENOSPC"), ("open", "EROFS"), ("write", "ENOSPC"), ("write", "EIO"), ("fsync", "EIO")]
FAILURES += [("fsync", "ENOSPC"), ("rename", "ENOSPC"), ("directory", "EIO")]


@pytest.mark.parametrize("save", [1, 2, 3])
@pytest.mark.parametrize(("step", "error"), FAILURES)
def test_the_checkpoint_cannot_be_written(step: str, error: str, save: int, tmp_path: Path) -> None:
    """The state is the old one to the byte, nothing lies beside it, and with room the next run goes on."""
    program, file, traps = Program(tmp_path), tmp_path / "aidial.log", tmp_path / "trap"
    file.write_bytes(lines(0, 10))
    program.run(file)
    old = program.state.read_bytes()
    file.write_bytes(lines(0, 5000))
    done = finish(start(*program.command, file, env=trap.environment(traps, step, error, save)))
    told = [
        one for one in (done.err + program.log.read_text()).splitlines() if "rror:" in one or " ERROR " in one
    ]
    assert len(told) == 1
    assert f"cannot write the checkpoint {program.state}: " in told[0]
    assert done.code == 1
    saved = [old, *trap.documents(traps)]
    assert program.state.read_bytes() == saved[-1 if step == "directory" else save - 1]
    assert not Path(f"{program.state}.new").exists()
    assert save > 1 or program.numbers == list(range(10))
    program.run(file)
    assert set(program.numbers) == set(range(5000))
    assert program.marks == {str(file): 5000}
