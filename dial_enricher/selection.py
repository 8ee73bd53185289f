"""Which records to take: by the time of their request, and by columns that the log itself tells."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dial_enricher import identity
from dial_enricher.errors import BadRecord, SettingError
from dial_enricher.event import Event, Exchange, Log
from dial_enricher.schema import COLUMNS, ENRICHED, UNDEFINED
from dial_enricher.take import need

NOT_SELECTED = "not_selected"
"""Why a record that is not wanted is ignored."""
_TIME = ("request", "time")
_MEASUREMENT = "measurement"
_MADE = {*ENRICHED, "price", "deployment_price"}
"""Columns that no record has before it was enriched and priced."""
SELECTABLE = tuple(sorted({_MEASUREMENT, *COLUMNS} - _MADE))


@dataclass(frozen=True, slots=True)
class Selection:
    """Records from `since` on and before `until` (nanoseconds), with one of the values of each column."""

    since: int | None
    until: int | None
    where: Mapping[str, frozenset[str]]

    def sift(self, event: Event) -> None:
        """Ignores a record that is not wanted. Raises BadRecord for one whose time is asked for and unusable.

        A record with several MCP calls is wanted as a whole, when one of them fits.
        """
        if event.log is None or event.exchange is None:
            return
        wanted = self._is_in_time(event.log) and all(
            not values.isdisjoint(_texts(column, event.log, event.exchange))
            for column, values in self.where.items()
        )
        if not wanted:
            event.ignored = NOT_SELECTED

    def _is_in_time(self, log: Log) -> bool:
        if self.since is None and self.until is None:
            return True
        time = _time(log)
        return (self.since is None or self.since <= time) and (self.until is None or time < self.until)


def selection(since: str | None, until: str | None, where: Sequence[str]) -> Selection | None:
    """The selection that settings ask for; None where every record is wanted. Raises SettingError."""
    if since is None and until is None and not where:
        return None
    begin, end = _moment("since", since), _moment("until", until)
    if begin is not None and end is not None and end <= begin:
        raise SettingError(f"until must be later than since: {until} is not later than {since}")
    values: defaultdict[str, set[str]] = defaultdict(set)
    for condition in where:
        column, value = _parsed(condition)
        values[column].add(value)
    return Selection(begin, end, {column: frozenset(wanted) for column, wanted in values.items()})


def _moment(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return identity.nanoseconds(text)
    except BadRecord:
        raise SettingError(
            f"{name} must be a date or time in ISO 8601, as 2026-11-20 or 2026-11-20T08:00Z, not {text!r}"
        ) from None


def _parsed(condition: str) -> tuple[str, str]:
    column, equals, value = (part.strip() for part in condition.partition("="))
    if not column or not equals or not value:
        raise SettingError(f"where must be COLUMN=VALUE, as deployment=gpt-4o, not {condition!r}")
    if column not in SELECTABLE:
        why = "is only known after enriching" if column in _MADE else "is no column"
        raise SettingError(f"where {condition!r}: {column} {why}; choose one of {', '.join(SELECTABLE)}")
    return column, value


def _texts(column: str, log: Log, exchange: Exchange) -> Iterator[str]:
    """What a column holds, as text: one for each call."""
    own = _value(column, log, exchange)
    for call in exchange.calls or [{}]:
        value = call.get(column, own)
        yield UNDEFINED if value in (None, "") else str(value)


def _value(column: str, log: Log, exchange: Exchange) -> Any:
    if column == _MEASUREMENT:
        return exchange.measurement
    if column == "response_id" and exchange.columns.get(column, "") is None:
        return identity.response_id(log, exchange.columns, _time(log))
    return exchange.columns.get(column, getattr(exchange.usage, column, None))


def _time(log: Log) -> int:
    return identity.nanoseconds(need(log.data, _TIME))
