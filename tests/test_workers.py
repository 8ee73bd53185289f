"""Several processes that enrich: the same bytes in the same order, whoever does the work and whoever dies."""

import errno
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from dial_enricher.enrich.crew import Crew
from dial_enricher.event import Event, Texts
from tests.support import (
    SAMPLE,
    SAMPLE_LINES,
    changed,
    feed,
    finish,
    line,
    log,
    read_some,
    reading,
    run,
    start,
)

TWO = ("--workers", "2")
ALL = SAMPLE.read_bytes()


@pytest.fixture(scope="module")
def alone() -> bytes:
    """The points of the sample by one process, line after line."""
    done = run("--batch-lines", "1", stdin=ALL)
    assert (done.code, b"language=en" in done.out, b"topic=undefined" in done.out) == (0, True, True)
    return done.out


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("lines", [1, 7, 1000])
def test_output_does_not_depend_on_who_enriches(alone: bytes, workers: int, lines: int) -> None:
    done = run("--workers", str(workers), "--batch-lines", str(lines), SAMPLE)
    assert (done.code, done.out) == (0, alone)
    assert "worker" not in done.err


def test_accounts_do_not_depend_on_it_either() -> None:
    broken = [*SAMPLE_LINES[:40], b"{broken\n", *SAMPLE_LINES[40:80], line(log("/v1/bucket"))]
    ones, twos = (run("--workers", count, "--summary", "always", stdin=b"".join(broken)) for count in "12")
    assert "dead_invalid_json=3" in ones.err
    assert _without_time(ones.err) == _without_time(twos.err)


def _without_time(messages: str) -> list[str]:
    return [message.partition(" ")[2] for message in messages.splitlines()]


def test_a_quiet_stream_is_not_kept_waiting() -> None:
    process = start(*TWO, "--max-delay", "0")
    for record in SAMPLE_LINES[:5]:
        feed(process, record)
        alone = run(stdin=record).out
        found = b""
        while len(found) < len(alone):
            found += read_some(process)
        assert found == alone
    assert finish(process, b"").code == 0


def _helpers(process: "subprocess.Popen[bytes]", count: int) -> list[psutil.Process]:
    """The processes that it made, as soon as they are there."""
    while len(found := psutil.Process(process.pid).children()) < count:
        time.sleep(0.01)
    return found


def test_a_worker_that_dies_costs_nothing(alone: bytes) -> None:
    process = start(*TWO, "--max-delay", "0")
    feed(process, SAMPLE_LINES[0])
    first, _ = _helpers(process, 2)
    first.kill()
    done = finish(process, ALL.removeprefix(SAMPLE_LINES[0]))
    assert (done.code, done.out) == (0, alone)
    assert "a worker of --workers has died (code -9): this process does its work" in done.err


def test_workers_leave_with_the_program(alone: bytes) -> None:
    for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        process = start(*TWO, "--max-delay", "0")
        feed(process, SAMPLE_LINES[0])
        assert read_some(process)
        helpers = _helpers(process, 2)
        process.send_signal(how)
        assert finish(process).code in (-how, 128 + how)
        gone, left = psutil.wait_procs(helpers, timeout=60)
        assert (len(gone), left) == (2, [])


def test_a_signal_to_all_of_them_loses_nothing(alone: bytes) -> None:
    """As a terminal sends Ctrl-C."""
    process = start(*TWO, start_new_session=True)
    feed(process, ALL)
    _helpers(process, 2)
    os.killpg(process.pid, signal.SIGINT)
    done = finish(process)
    assert (done.code, done.out) == (130, alone)


def test_both_ways_to_share_out_the_work_contradict_each_other(tmp_path: Path) -> None:
    done = run(*TWO, "--jobs", "2", "--output", f"{tmp_path}/out/", SAMPLE)
    assert done.code == 2
    assert "with --output DIRECTORY use --jobs" in done.err


def test_nothing_to_enrich_takes_no_worker() -> None:
    process = start(*TWO, "--language", "off", "--topics", "off", "--max-delay", "0")
    feed(process, SAMPLE_LINES[0])
    assert read_some(process)
    assert psutil.Process(process.pid).children() == []
    assert finish(process, b"").code == 0


# The crew by itself


class Shouting:
    """Puts the question in capitals, where there is one."""

    def concerns(self, event: Event) -> bool:
        return event.exchange is not None and event.exchange.columns["chat_id"] is not None

    def fill(self, events: list[Event]) -> None:
        for event in filter(self.concerns, events):
            assert event.exchange is not None and event.log is not None
            try:
                event.exchange.columns["topic"] = event.exchange.texts().asked[0].upper()
            except ValueError:
                event.log.notes["unread"] += 1


class Failing(Shouting):
    def fill(self, events: list[Event]) -> None:
        raise RuntimeError("secret")


def _crew(*enrichers: Shouting) -> Iterator[Crew]:
    crew = Crew(enrichers, 2)
    yield crew
    crew.close()


@pytest.fixture
def crew() -> Iterator[Crew]:
    yield from _crew(Shouting())


def _asked(text: str, chat_id: str | None = "c") -> Event:
    return reading(lambda: Texts(asked=[text]), chat_id)


def _topics(events: Sequence[Event]) -> list[object]:
    return [event.exchange.columns.get("topic") for event in events if event.exchange]


def test_batches_come_back_in_order_and_none_is_forgotten(crew: Crew) -> None:
    given = [[_asked(f"{number} {part}") for part in range(number % 4)] for number in range(50)]
    back = [done for batch in given for done in crew.take(batch)]
    back += crew.rest()
    assert [events for events, _ in back] == given
    assert [_topics(events) for events, _ in back] == [
        [f"{number} {part}" for part in range(number % 4)] for number in range(50)
    ]
    assert list(crew.rest()) == []


def test_large_questions_and_answers_do_not_stop_each_other(crew: Crew) -> None:
    given = [[_asked("x" * 3_000_000)] for _ in range(12)]
    back = [done for batch in given for done in crew.take(batch)] + list(crew.rest())
    assert [_topics(events) for events, _ in back] == [["X" * 3_000_000]] * 12


def test_only_those_concerned_are_sent(crew: Crew) -> None:
    def read() -> Texts:
        raise AssertionError("read")

    dead = _asked("dead")
    dead.ignored = "blank"
    batch = [_asked("one"), reading(read, None), dead, _asked("two", None)]
    back = [*crew.take(batch), *crew.rest()]
    assert [_topics(events) for events, _ in back] == [["ONE", None, None, None]]


def test_texts_that_cannot_be_read_are_noted(crew: Crew) -> None:
    def read() -> Texts:
        raise RuntimeError("odd")

    odd = reading(read)
    list(crew.take([odd, _asked("good")])), list(crew.rest())
    assert odd.log is not None
    assert dict(odd.log.notes) == {"unread": 1}


def test_an_enricher_that_fails_costs_its_column_only(capfd: pytest.CaptureFixture[str]) -> None:
    for crew in _crew(Failing(), Shouting()):
        back = [*crew.take([_asked("one")]), *crew.rest()]
        assert [(_topics(events), failures) for events, failures in back] == [
            (["ONE"], Counter(failing_failed=1))
        ]
    assert "secret" not in "".join(capfd.readouterr())


def test_work_of_the_dead_is_done_here(crew: Crew) -> None:
    list(crew.take([])), list(crew.rest())
    for worker in list(crew._workers):
        worker._process.kill()
        worker._process.join()
    back = [done for number in range(9) for done in crew.take([_asked(f"a{number}")])] + list(crew.rest())
    assert [_topics(events) for events, _ in back] == [[f"A{number}"] for number in range(9)]


def test_times_of_points_are_those_of_the_records() -> None:
    late, early = (changed(log(), "request.time", f"2026-03-02T0{hour}:00:00.000") for hour in (9, 1))
    done = run(*TWO, "--batch-lines", "1", stdin=line(late) + line(early))
    assert [point.rstrip().rpartition(b" ")[2][:4] for point in done.lines] == [b"1772", b"1772"]
    assert done.lines[0].rpartition(b" ")[2] > done.lines[1].rpartition(b" ")[2]


def test_fewer_processes_than_wanted_do_the_work(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fork = os.fork
    for possible in (0, 1):
        forks = iter(range(possible))

        def limited(forks: Iterator[int] = forks) -> int:
            if next(forks, None) is None:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            return fork()

        monkeypatch.setattr(os, "fork", limited)
        for crew in _crew(Shouting()):
            back = [done for number in range(9) for done in crew.take([_asked(f"a{number}")])]
            back += crew.rest()
            assert [_topics(events) for events, _ in back] == [[f"A{number}"] for number in range(9)]
            assert len(crew._workers) == possible
        assert f"--workers: only {possible} could be started" in caplog.text


def test_a_worker_that_does_not_answer_leaves_in_the_end(monkeypatch: pytest.MonkeyPatch, crew: Crew) -> None:
    monkeypatch.setattr("dial_enricher.enrich.crew._PATIENCE", 0.1)
    list(crew.take([_asked("one")])), list(crew.rest())
    processes = [psutil.Process(worker._process.pid) for worker in crew._workers if worker._process.pid]
    processes[0].suspend()
    crew.close()
    assert [process.is_running() for process in processes] == [False, False]
