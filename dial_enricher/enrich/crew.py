"""Several processes that enrich batches side by side, while this one decodes, prices and writes.

Threads would wait for one another: most of the work is Python's own. The processes are copies of this one,
made when the models are loaded, so they begin at once and share the memory of the models. They are sent
columns and texts, and answer with columns; the log, the accounts and the order of the output stay here.
"""

import multiprocessing
import pickle
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple

from dial_enricher.enrich.work import Done, Enricher, bare, enrich
from dial_enricher.errors import where
from dial_enricher.event import Event, Exchange, Json, Texts
from dial_enricher.logs import LOGGER
from dial_enricher.schema import ENRICHED
from dial_enricher.signals import leave_to_parent

_AHEAD = 2
"""Batches that a process has: one that it works on, and one to go on with."""
_PATIENCE = 5.0
"""Seconds in which a process has to leave when it is not needed any more."""


class _Question(NamedTuple):
    measurement: str
    columns: Json
    texts: Texts | None
    """None: they cannot be read."""


class _Answer(NamedTuple):
    columns: list[Json]
    notes: list[dict[str, int]]
    failures: Counter[str]


class _Worker:
    """One of the processes, from outside. Raises OSError and EOFError once it is gone."""

    def __init__(self, enrichers: Sequence[Enricher], others: Sequence["_Worker"]) -> None:
        context = multiprocessing.get_context("fork")
        self._connection, inside = context.Pipe()
        theirs = [worker._connection for worker in others] + [self._connection]
        self._process = context.Process(target=_work, args=(enrichers, inside, theirs), daemon=True)
        self._process.start()
        inside.close()

    def ask(self, questions: list[_Question]) -> None:
        self._connection.send_bytes(pickle.dumps(questions, pickle.HIGHEST_PROTOCOL))

    def has_answered(self) -> bool:
        return self._connection.poll()

    def answer(self) -> _Answer:
        """Waits for the answer to the first question that has none."""
        answer: _Answer = pickle.loads(self._connection.recv_bytes())  # safe: a process of ours wrote it
        return answer

    def leave(self) -> None:
        self._connection.close()  # for the process this is the end of its input
        self._process.join(_PATIENCE)
        self._process.kill()
        self._process.join()

    def how_it_ended(self) -> str:
        self._process.join()
        return f"code {self._process.exitcode}"


class Crew:
    """Hands batches to the workers in turn, and gives them back in the order in which they came."""

    def __init__(self, enrichers: Sequence[Enricher], workers: int) -> None:
        self._enrichers = enrichers
        self._wanted = workers
        self._workers: list[_Worker] = []
        """Whose turn is next is first."""
        self._given: deque[tuple[_Worker, list[Event], list[Event]]] = deque()
        """Each worker's batches, all of the events and those that it was sent; the oldest is first."""

    def take(self, events: list[Event]) -> Iterator[Done]:
        """Takes a batch; yields those that are done by then, in order. Waits while too many are not.

        The first one starts the processes: the calling one must have no threads then.
        """
        self._start()
        while len(self._given) >= _AHEAD * max(1, len(self._workers)):
            yield self._first()
        if not self._workers:
            yield from self.rest()
            yield events, enrich(self._enrichers, events)
            return
        worker = self._workers.pop(0)
        self._workers.append(worker)
        concerned = [event for event in events if event.live and self._concerns(event)]
        self._given.append((worker, events, concerned))
        with suppress(OSError):  # it is gone, as is noticed when its answer is wanted
            worker.ask([_question(event) for event in concerned])
        while self._given and self._given[0][0].has_answered():
            yield self._first()

    def rest(self) -> Iterator[Done]:
        """Those that are not done yet."""
        while self._given:
            yield self._first()

    def close(self) -> None:
        """Ends the processes."""
        self._given.clear()
        for worker in self._workers:
            worker.leave()
        self._workers.clear()

    def _start(self) -> None:
        """Starts as many of the processes as can be; those that cannot cost time, never a record."""
        while self._wanted:
            try:
                self._workers.append(_Worker(self._enrichers, self._workers))
            except OSError as error:
                LOGGER.error("--workers: only %d could be started (%s)", len(self._workers), error.strerror)
                self._wanted = 1
            self._wanted -= 1

    def _concerns(self, event: Event) -> bool:
        return any(enricher.concerns(event) for enricher in self._enrichers)

    def _first(self) -> Done:
        """The oldest batch, when it is done; it is done here where its worker has died."""
        worker, events, concerned = self._given.popleft()
        try:
            answer = worker.answer()
        except (OSError, EOFError):
            if worker in self._workers:
                self._workers.remove(worker)
            LOGGER.error(
                "a worker of --workers has died (%s): this process does its work",
                worker.how_it_ended(),
                extra={"code": "worker_died"},
            )
            return events, enrich(self._enrichers, concerned)
        for event, columns, notes in zip(concerned, answer.columns, answer.notes, strict=True):
            if event.exchange is not None and event.log is not None:
                event.exchange.columns.update(columns)
                for note, count in notes.items():
                    event.log.notes[note] += count
        return events, answer.failures


def _question(event: Event) -> _Question:
    assert event.exchange is not None
    try:
        texts = event.exchange.texts()
    except Exception:  # the enrichers meet the same, and note it
        texts = None
    return _Question(event.exchange.measurement, event.exchange.columns, texts)


# What a process does


def _work(enrichers: Sequence[Enricher], connection: Connection, theirs: Sequence[Connection]) -> None:
    """Answers until nobody asks any more."""
    try:
        _listen(enrichers, connection, theirs)
    except Exception as error:  # who asked notices that nobody answers
        LOGGER.error("a worker of --workers failed: %s", where(error))


def _listen(enrichers: Sequence[Enricher], connection: Connection, theirs: Sequence[Connection]) -> None:
    leave_to_parent()
    for end in theirs:
        end.close()  # else the end of that process would not be the end of our input
    asked: SimpleQueue[bytes] = SimpleQueue()
    # It takes questions off the pipe at once, so that who asks never waits for an answer to be finished.
    Thread(target=_receive, args=(connection, asked), daemon=True).start()
    while message := asked.get():
        answer = _answered(enrichers, pickle.loads(message))
        try:
            connection.send_bytes(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))
        except OSError:
            return


def _receive(connection: Connection, asked: "SimpleQueue[bytes]") -> None:
    try:
        while True:
            asked.put(connection.recv_bytes())
    except (OSError, EOFError):
        asked.put(b"")


def _answered(enrichers: Sequence[Enricher], questions: list[_Question]) -> _Answer:
    events = [_event(question) for question in questions]
    failures = enrich(enrichers, events)
    columns = [
        {name: event.exchange.columns[name] for name in ENRICHED if name in event.exchange.columns}
        for event in events
        if event.exchange is not None
    ]
    return _Answer(columns, [dict(event.log.notes) for event in events if event.log is not None], failures)


def _event(question: _Question) -> Event:
    def texts() -> Texts:
        if question.texts is None:
            raise ValueError("the texts cannot be read")
        return question.texts

    return bare(Exchange(question.measurement, question.columns, read_texts=texts))
