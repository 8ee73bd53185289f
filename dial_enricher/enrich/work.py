"""Who enriches: this process, batch after batch. `crew.py` has the several processes that do it together."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

from dial_enricher.errors import where
from dial_enricher.event import Event, Exchange, Line, Log, Texts
from dial_enricher.logs import LOGGER


class Enricher(Protocol):
    """A part that adds a column. Of an event it sees the columns so far and the texts, not the log."""

    def concerns(self, event: Event) -> bool: ...
    def fill(self, events: list[Event]) -> None: ...


_SCRIPTS = ("lorem ipsum dolor sit amet", "привет мир слова", "سلام این یک متن است", "नमस्ते यह एक वाक्य है")
"""A text in each script of several languages; the first is in none that is easily told."""

_NO_LINE = Line(b"", "", 0)

Done = tuple[list[Event], Counter[str]]
"""Events that are enriched, and what went wrong with all of them."""


class Alone:
    """Enriches a batch as soon as it comes."""

    def __init__(self, enrichers: Sequence[Enricher]) -> None:
        self._enrichers = enrichers

    def take(self, events: list[Event]) -> Iterator[Done]:
        """Takes a batch; yields those that are done by then, in order."""
        yield events, enrich(self._enrichers, events)

    def rest(self) -> Iterator[Done]:
        """Those that are not done yet."""
        yield from ()

    def close(self) -> None:
        pass


def is_asked(event: Event, everyone: bool) -> bool:
    """Whether a column is to be found out for an event: for every exchange, or for those with a chat id."""
    exchange = event.exchange
    return exchange is not None and bool(everyone or exchange.columns.get("chat_id"))


def warm_up(enrichers: Sequence[Enricher]) -> None:
    """Makes enrichers load now what they load with the first text of a script.

    So no record has to wait for it, and copies of this process share it.
    """
    enrich(enrichers, [_event(text) for text in _SCRIPTS])


def _event(text: str) -> Event:
    texts = Texts(request=[text], asked=[text])
    return bare(Exchange("analytics", {"chat_id": "-"}, read_texts=lambda: texts))


def bare(exchange: Exchange) -> Event:
    """An event with nothing of its record but what enrichers see."""
    return Event(b"", _NO_LINE, Log({}, b"", ""), exchange)


def enrich(enrichers: Sequence[Enricher], events: list[Event]) -> Counter[str]:
    """Fills in the columns of live events, and counts enrichers that failed.

    An enricher in trouble costs its column, never a record.
    """
    failures: Counter[str] = Counter()
    live = [event for event in events if event.live]
    for enricher in enrichers:
        name = f"{type(enricher).__name__.lower()}_failed"
        try:
            enricher.fill(live)
        except Exception as error:
            failures[name] += 1
            LOGGER.error("%s for a batch: %s", name.replace("_", " "), where(error), extra={"code": name})
    return failures
