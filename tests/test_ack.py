"""--ack rsyslog, played line by line: nothing is confirmed that is not stored or a dead letter."""

import json
import signal
import time
from pathlib import Path

import pytest

from tests.conversation import BEGIN, COMMIT, DEFERRED, OK, Conversation
from tests.delivery import NO_PROXY, check_stored, record, records, rows_of
from tests.faults import faults
from tests.faults.dialects import DIALECTS
from tests.faults.server import FaultServer, serving
from tests.influxd import Influx, wait_for
from tests.support import PLAIN, PROGRAM, check_refused, finish, line, run, start, through

TWO = DIALECTS[1]
LINES = [line(record(number)) for number in range(40)]


def points_of(lines: list[bytes]) -> list[bytes]:
    return through(b"".join(lines)).lines


def lines_of(file: Path) -> list[bytes]:
    return file.read_bytes().splitlines(keepends=True)


def to_influx(server: FaultServer, *options: str | Path) -> Conversation:
    env = NO_PROXY | server.environment
    return Conversation("--to", "influxdb", "--influx-version", "2", *options, env=env)


def test_each_message_is_answered_when_its_points_are_written(tmp_path: Path) -> None:
    output = tmp_path / "points"
    talk = Conversation("--output", output)
    assert talk.hear() == OK
    for number, one in enumerate(LINES, 1):
        assert talk.ask(one) == OK
        assert len(lines_of(output)) == number
    assert talk.end().code == 0
    assert lines_of(output) == points_of(LINES)


def test_without_a_spool_nothing_is_deferred(tmp_path: Path) -> None:
    """A program that is killed is not sent again what it deferred."""
    output = tmp_path / "points"
    talk = Conversation("--output", output)
    assert talk.hear() == OK
    assert talk.ask(BEGIN) == OK
    for number, one in enumerate(LINES[:3], 1):
        assert talk.ask(one) == OK
        assert len(lines_of(output)) == number
    assert talk.ask(COMMIT) == OK
    talk.end()


def test_a_transaction_is_deferred_and_stored_at_its_end(
    influx: Influx, database: str, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    with serving(TWO, influx, database) as server:
        talk = to_influx(server, "--checkpoint", spool, "--max-delay", "60")
        assert talk.hear() == OK
        empty = spool.stat().st_size
        for half in (LINES[:20], LINES[20:]):
            assert talk.ask(BEGIN) == OK
            assert {talk.ask(one) for one in half} == {DEFERRED}
            assert spool.read_bytes().endswith(b"".join(half))
            before = len(server.writes)
            assert talk.ask(COMMIT) == OK
            assert len(server.writes) > before
            assert spool.stat().st_size == empty
        assert talk.ask(LINES[0]) == OK
        assert talk.end().code == 0
    check_stored(influx, database, rows_of(points_of(LINES)))


def test_what_was_deferred_before_a_kill_is_stored_before_the_first_word(tmp_path: Path) -> None:
    output, spool = tmp_path / "points", tmp_path / "spool"
    talk = Conversation("--output", output, "--checkpoint", spool, "--max-delay", "60")
    assert (talk.hear(), talk.ask(BEGIN)) == (OK, OK)
    assert {talk.ask(one) for one in LINES[:5]} == {DEFERRED}
    talk.kill()
    assert lines_of(output) == []
    with spool.open("ab") as file:
        file.write(LINES[5][:100])  # it was killed while it wrote this one, which it did not answer
    talk = Conversation("--output", output, "--checkpoint", spool)
    assert talk.hear() == OK
    assert lines_of(output) == points_of(LINES[:5])
    assert {talk.ask(one) for one in LINES[5:]} == {OK}
    assert talk.end().code == 0
    assert lines_of(output) == points_of(LINES)


def test_a_spool_is_for_its_owner_and_for_one_process(tmp_path: Path) -> None:
    output, spool = tmp_path / "points", tmp_path / "spool"
    talk = Conversation("--output", output, "--checkpoint", spool)
    assert talk.hear() == OK
    assert spool.stat().st_mode & 0o777 == 0o600
    second = run(*PLAIN, "--ack", "rsyslog", "--output", output, "--checkpoint", spool)
    assert (second.code, second.err) == (1, f"Error: the checkpoint {spool} is in use by another process\n")
    talk.end()


def test_a_file_that_is_no_spool_is_not_emptied(tmp_path: Path) -> None:
    file = tmp_path / "precious"
    file.write_text('{"version": 1, "files": []}\n')
    done = run(*PLAIN, "--ack", "rsyslog", "--output", tmp_path / "points", "--checkpoint", file)
    check_refused(done, str(file))
    assert file.read_text() == '{"version": 1, "files": []}\n'


def test_what_the_spool_has_no_room_for_is_not_deferred(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    small = ("bash", "-c", 'ulimit -f 1; exec "$@"', "bash", *PROGRAM)  # no file beyond 1 KiB
    talk = Conversation("--output", "/dev/null", "--checkpoint", spool, program=small)
    assert (talk.hear(), talk.ask(BEGIN)) == (OK, OK)
    assert len(LINES[0]) < 900 < 1024 < 2 * len(LINES[0])
    assert [talk.ask(one) for one in LINES[:4]] == [DEFERRED, OK, DEFERRED, OK]
    assert talk.ask(COMMIT) == OK
    done = talk.end()
    assert done.code == 0
    assert f"cannot write the checkpoint {spool}: File too large" in done.err


def test_what_is_dead_is_confirmed(tmp_path: Path) -> None:
    """It would be as dead the next time; its letter tells of it."""
    letters = tmp_path / "letters"
    talk = Conversation("--output", tmp_path / "points", "--dead-letter", letters)
    assert talk.hear() == OK
    assert talk.ask(LINES[0]) == OK
    assert talk.ask(BEGIN) == OK
    assert talk.ask(b'{"cut": ">>') == OK
    assert [(one["code"], one["line"]) for one in map(json.loads, lines_of(letters))] == [("invalid_json", 2)]
    assert talk.ask(COMMIT) == OK
    assert talk.ask(b"") == OK
    talk.end()


def test_dots_are_sent_while_the_server_is_away_and_then_the_answer(
    influx: Influx, database: str, tmp_path: Path
) -> None:
    with serving(TWO, influx, database) as server:
        server.shut()
        server.open_after(8)
        talk = to_influx(server, "--checkpoint", tmp_path / "spool")
        assert talk.hear() == OK
        assert talk.ask(BEGIN) == OK
        assert {talk.ask(one) for one in LINES} == {DEFERRED}
        assert talk.dots == 0
        assert talk.ask(COMMIT) == OK
        assert talk.dots >= 2
        assert talk.end().code == 0
    check_stored(influx, database, rows_of(points_of(LINES)))


@pytest.mark.parametrize("spooled", [False, True])
def test_what_cannot_be_delivered_before_a_stop_is_refused(
    spooled: bool, influx: Influx, database: str, tmp_path: Path
) -> None:
    letters, spool = tmp_path / "letters", tmp_path / "spool"
    options = ("--checkpoint", spool) if spooled else ()
    with serving(TWO, influx, database, *[faults.hangs] * 100) as server:
        talk = to_influx(server, "--dead-letter", letters, "--drain-time", "1", *options)
        assert talk.hear() == OK
        if spooled:
            assert talk.ask(BEGIN) == OK
            assert {talk.ask(one) for one in LINES} == {DEFERRED}
            talk.send(COMMIT)
        else:
            talk.send(LINES[0])
        wait_for(lambda: bool(server.writes))
        talk.process.send_signal(signal.SIGTERM)
        assert talk.hear() not in (OK, DEFERRED)
        assert talk.end().code == 4
        assert letters.read_text() == ""
        if spooled:
            assert spool.read_bytes().endswith(b"".join(LINES))
        server.script.clear()
        again = to_influx(server, *options)
        assert again.hear() == OK
        if not spooled:
            assert again.ask(LINES[0]) == OK
        again.end()
    check_stored(influx, database, rows_of(points_of(LINES if spooled else LINES[:1])))


def test_a_wrong_setting_is_refused_and_ends_it(influx: Influx, database: str, tmp_path: Path) -> None:
    with serving(TWO, influx, database, *[faults.answers(401, b'{"code":"unauthorized"}')] * 9) as server:
        talk = to_influx(server)
        assert talk.hear() == OK
        assert talk.ask(LINES[0]) not in (OK, DEFERRED)
        done = talk.end()
    assert done.code == 2
    assert "InfluxDB cannot be written to with these settings" in done.err


def test_a_transaction_that_is_not_ended_is_delivered_all_the_same(tmp_path: Path) -> None:
    output, spool = tmp_path / "points", tmp_path / "spool"
    talk = Conversation("--output", output, "--checkpoint", spool, "--max-delay", "60")
    assert (talk.hear(), talk.ask(BEGIN)) == (OK, OK)
    assert {talk.ask(one) for one in LINES} == {DEFERRED}
    assert talk.end().code == 0
    assert lines_of(output) == points_of(LINES)
    assert LINES[0] not in spool.read_bytes()


def test_sigterm_ends_an_idle_conversation(tmp_path: Path) -> None:
    talk = Conversation("--output", tmp_path / "points")
    assert talk.hear() == OK
    assert talk.ask(LINES[0]) == OK
    talk.process.send_signal(signal.SIGTERM)
    assert talk.process.wait(timeout=60) == 143
    talk.end()


def test_it_leaves_quietly_when_nobody_reads_the_answers(tmp_path: Path) -> None:
    process = start(*PLAIN, "--ack", "rsyslog", "--output", tmp_path / "points")
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline() == b"OK\n"
    process.stdout.close()
    process.stdout = None
    process.stdin.write(LINES[0])
    done = finish(process)
    assert (done.code, done.err) == (141, "")


def test_a_message_may_be_as_long_as_a_dial_line(tmp_path: Path) -> None:
    long = json.loads(LINES[0])
    long["request"]["body"] = json.dumps({"model": "gpt", "messages": [{"content": "x" * (15 << 20)}]})
    output = tmp_path / "points"
    talk = Conversation(
        "--output", output, "--checkpoint", tmp_path / "spool", "--max-line-bytes", str(16 << 20)
    )
    assert (talk.hear(), talk.ask(BEGIN)) == (OK, OK)
    assert talk.ask(line(long)) == DEFERRED
    assert talk.ask(b"y" * (17 << 20)) == OK  # too long to be kept: delivered before the answer
    assert talk.ask(COMMIT) == OK
    done = talk.end()
    assert lines_of(output) == points_of([line(long)])
    assert "line_too_long 1" in done.err


def test_standard_output_is_for_answers_alone(tmp_path: Path) -> None:
    check_refused(run(*PLAIN, "--ack", "rsyslog"), "--ack rsyslog")
    check_refused(run(*PLAIN, "--ack", "rsyslog", "--output", tmp_path / "o", "--follow"), "--follow")
    file = tmp_path / "log"
    file.write_bytes(LINES[0])
    check_refused(run(*PLAIN, "--ack", "rsyslog", "--output", tmp_path / "o", file), "--ack rsyslog")


@pytest.mark.parametrize("count", [1, 7, 2000])
def test_many_lines_at_once_are_answered_in_order(count: int, tmp_path: Path) -> None:
    """rsyslog never sends ahead, but a pipe may."""
    output = tmp_path / "points"
    data = records(count)
    done = run(*PLAIN, "--ack", "rsyslog", "--output", output, stdin=data)
    assert (done.code, done.out) == (0, b"OK\n" * (count + 1))
    assert output.read_bytes() == through(data).out


def test_an_idle_conversation_is_silent(tmp_path: Path) -> None:
    """Dots are for answers that are owed: rsyslog has room for 4,095."""
    talk = Conversation("--output", tmp_path / "points")
    assert talk.hear() == OK
    time.sleep(7)
    assert talk.ask(LINES[0]) == OK
    assert talk.dots == 0
    talk.end()
