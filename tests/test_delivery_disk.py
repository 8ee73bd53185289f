"""`--to influxdb` on a full disk: it stops within a batch, in one sentence, and dead letters are whole."""

import os
import resource
import time
from pathlib import Path

import pytest

from tests.delivery import Sender, check_stored, mixed, records, sender, understood
from tests.faults import faults
from tests.faults.dialects import DIALECTS, Reply
from tests.faults.server import Fault, Visit, serving
from tests.influxd import Influx
from tests.pipes import reading
from tests.support import Done, check_refused, finish, start

TWO = DIALECTS[1]
BATCH = 60
SOON = ("--batch-lines", str(BATCH), "--max-delay", "0")
ROOM = 60_000
LONGEST_LETTER = 2000
WHOLE = understood(records(400))


def run(program: Sender, data: bytes, *options: str, room: int | None = None) -> Done:
    """The program on a file of which it reads as much as it likes, with files of limited size."""
    file = program.directory / "aidial.log"
    file.write_bytes(data)

    def limit() -> None:
        if room is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    return finish(start(*program.command, *options, file, env=program.env, preexec_fn=limit), b"")


def check_stopped(done: Done, program: Sender, *words: str) -> None:
    """It stopped by an error, and said why in one sentence."""
    assert (done.code, done.out) == (1, b""), done.err
    told = done.err + program.log_file.read_text()
    assert "Traceback" not in told
    (error,) = [one for one in told.splitlines() if " ERROR " in one]
    assert "stopped: " in error
    assert all(word in error for word in words), error


FULL = "cannot write the dead-letter file /dev/full: No space left on device"
TROUBLES: dict[str, tuple[bytes, list[Fault]]] = {
    "rejected": (records(1, poison=[0]), []),
    "undelivered": (b"", [faults.busy(503)] * 10_000),
    "invalid_json": (b"?\n", []),
}
"""What records die of: a line that comes first, or what befalls each request."""


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_full_disk_stops_it(trouble: str, influx: Influx, database: str, tmp_path: Path) -> None:
    """No more is sent than a few batches, of a file that holds many."""
    first, script = TROUBLES[trouble]
    with serving(TWO, influx, database, *script) as server:
        program = sender(server, tmp_path, *SOON, "--retry-time", "0", "--dead-letter", "/dev/full")
        done = run(program, first + records(3000))
        sent = {point for write in server.writes for point in write.lines}
    check_stopped(done, program, FULL)
    assert len(sent) <= 4 * BATCH


def test_what_is_under_way_is_stored_before_it_stops(influx: Influx, database: str, tmp_path: Path) -> None:
    """A disk that is full is no reason to lose what the server would take."""

    def late(visit: Visit) -> Reply:
        time.sleep(0.5)
        return visit.store()

    lines = records(3000).splitlines(keepends=True)
    with serving(TWO, influx, database, *[late] * 10_000) as server:
        program = sender(server, tmp_path, *SOON, "--dead-letter", "/dev/full")
        done = run(program, b"".join([*lines[:200], b"?\n", *lines[200:]]))
    check_stopped(done, program, FULL)
    check_stored(influx, database, understood(b"".join(lines[: 4 * BATCH - 1])).rows)


def test_what_was_read_from_a_pipe_is_stored_before_it_stops(
    influx: Influx, database: str, tmp_path: Path
) -> None:
    """A file could be read again; a pipe could not."""
    with serving(TWO, influx, database) as server:
        program = sender(server, tmp_path, *SOON, "--dead-letter", "/dev/full")
        with reading(program, records(100) + b"?\n" + records(3000)) as (pipe, process):
            done = finish(process)
            read = pipe.close()
    check_stopped(done, program, FULL)
    check_stored(influx, database, understood(read).rows)
    assert len(read) < len(pipe.data)


@pytest.mark.parametrize("room", [ROOM, ROOM + 1, ROOM + 500])
@pytest.mark.parametrize("limit", ["disk", "option"])
def test_a_file_that_fills_up_holds_whole_letters_only(
    limit: str, room: int, influx: Influx, database: str, tmp_path: Path
) -> None:
    """Of records that are undelivered, until there is no room for the next one."""
    with serving(TWO, influx, database, *[faults.busy(503)] * 10_000) as server:
        program = sender(server, tmp_path, *SOON, "--retry-time", "0")
        if limit == "disk":
            done = run(program, WHOLE.data, room=room)
            check_stopped(done, program, "cannot write the dead-letter file", "File too large")
        else:
            done = run(program, WHOLE.data, "--dead-letter-max", str(room))
            check_stopped(done, program, "the dead-letter file", "--dead-letter-max")
    assert room - LONGEST_LETTER < len(program.letters_text) <= room
    assert program.letters_text.endswith("\n")
    points = program.points("undelivered")
    assert points == WHOLE.good[: len(points)]
    check_stored(influx, database, set())


def test_a_log_that_is_full_does_not_stop_the_work(influx: Influx, database: str, tmp_path: Path) -> None:
    log = mixed(100, poison=2)
    with serving(TWO, influx, database, faults.busy(503)) as server:
        program = sender(server, tmp_path, "--log-file", "/dev/full")
        done = run(program, log.data)
    assert (done.code, done.out) == (0, b""), done.err
    check_stored(influx, database, log.rows)
    program.check_dead(log)


@pytest.mark.parametrize("reason", ["nowhere", "a_directory"])
def test_nothing_is_done_without_the_dead_letter_file(
    reason: str, influx: Influx, database: str, tmp_path: Path
) -> None:
    path = tmp_path if reason == "a_directory" else tmp_path / "nowhere" / "letters"
    with serving(TWO, influx, database) as server:
        program = sender(server, tmp_path, "--dead-letter", str(path))
        pipe, writing = os.pipe()
        os.write(writing, WHOLE.data[:1000])
        os.close(writing)
        check_refused(finish(start(*program.command, stdin=pipe, env=program.env)), str(path))
        assert server.requests == []
    with open(pipe, "rb") as unread:
        assert unread.read() == WHOLE.data[:1000]
