"""Which records to take: by the time of their request, and by columns that the log itself tells."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dial_enricher import identity
from dial_enricher.errors import BadRecord, SettingError
from dial_enricher.event import Event, Exchange, Json, Log
from dial_enricher.points import Reader, clean, reader
from dial_enricher.schema import COLUMNS, ENRICHED, Kind, Measurement
from dial_enricher.values import spelled_out

NOT_SELECTED = "not_selected"
"""Why a record that is not wanted is ignored."""
_MEASUREMENT = "measurement"
_MADE = {*ENRICHED, "price", "deployment_price"}
"""Columns that no record has before it was enriched and priced."""
_Value = str | int | float
SELECTABLE = tuple(sorted({_MEASUREMENT, *COLUMNS} - _MADE))


@dataclass(frozen=True, slots=True)
class _Condition:
    """A column of a measurement shows one of these values, which are as clean as those of its points."""

    column: str
    read: Reader
    sparse: bool
    """Points leave the column out when nothing is known."""
    wanted: frozenset[_Value]

    def holds(self, value: Any) -> bool:
        return not (value is None and self.sparse) and _compared(self.read, value) in self.wanted


@dataclass(frozen=True, slots=True)
class Selection:
    """Records from `since` on and before `until` (nanoseconds), with one of the values of each column."""

    since: int | None
    until: int | None
    where: Mapping[str, Sequence[_Condition] | None]
    """By measurement; None where no record can be wanted."""

    def sift(self, event: Event) -> None:
        """Ignores a record that is not wanted. Raises BadRecord for one whose time is asked for and unusable.

        A record with several MCP calls is wanted as a whole, when one of them fits.
        """
        if event.log is None or event.exchange is None:
            return
        if not (self._is_in_time(event.log) and self._fits(event.log, event.exchange)):
            event.ignored = NOT_SELECTED

    def _is_in_time(self, log: Log) -> bool:
        if self.since is None and self.until is None:
            return True
        time = identity.request_time(log)
        return (self.since is None or self.since <= time) and (self.until is None or time < self.until)

    def _fits(self, log: Log, exchange: Exchange) -> bool:
        conditions = self.where[exchange.measurement]
        return conditions is not None and any(
            all(one.holds(_value(one.column, log, exchange, call)) for one in conditions)
            for call in exchange.calls or [{}]
        )


def selection(
    since: str | None, until: str | None, where: Sequence[str], measurements: Mapping[str, Measurement]
) -> Selection | None:
    """The selection that settings ask for; None where every record is wanted. Raises SettingError."""
    if since is None and until is None and not where:
        return None
    begin, end = _moment("since", since), _moment("until", until)
    if begin is not None and end is not None and end <= begin:
        raise SettingError(f"until must be later than since: {until} is not later than {since}")
    values: defaultdict[str, set[_Value]] = defaultdict(set)
    for condition in where:
        column, value = _parsed(condition)
        values[column].add(value)
    return Selection(begin, end, {name: _conditions(one, values) for name, one in measurements.items()})


def _moment(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return identity.nanoseconds(text)
    except BadRecord:
        raise SettingError(
            f"{name} must be a date or time in ISO 8601, as 2026-11-20 or 2026-11-20T08:00Z, not {text!r}"
        ) from None


def _parsed(condition: str) -> tuple[str, _Value]:
    column, equals, value = condition.partition("=")
    column = column.strip()
    if not column or not equals or not value.strip():
        raise SettingError(f"where must be COLUMN=VALUE, as deployment=gpt-4o, not {condition!r}")
    if column not in SELECTABLE:
        why = "is only known after enriching" if column in _MADE else "is no column"
        raise SettingError(f"where {condition!r}: {column} {why}; choose one of {', '.join(SELECTABLE)}")
    if column == _MEASUREMENT or COLUMNS[column].kind is Kind.STRING:
        return column, value
    number = spelled_out(value)
    if number is None:
        raise SettingError(f"where {condition!r}: {column} is a number, 0 where the log does not tell it")
    return column, number


def _conditions(measurement: Measurement, values: Mapping[str, set[_Value]]) -> Sequence[_Condition] | None:
    """What a record of a measurement has to fulfil; None when it lacks one of the columns."""
    conditions = []
    for column, wanted in values.items():
        read = clean if column == _MEASUREMENT else reader(measurement, column)
        if read is None:
            return None
        compared = frozenset(_compared(read, value) for value in wanted)
        conditions.append(_Condition(column, read, column in measurement.sparse, compared))
    return conditions


def _compared(read: Reader, value: Any) -> _Value:
    """A value as points show it, without blanks around it, which a condition need not name."""
    shown = read(value, defaultdict(int))  # the notes are those of the points
    return shown.strip() if isinstance(shown, str) else shown


def _value(column: str, log: Log, exchange: Exchange, call: Json) -> Any:
    if column == _MEASUREMENT:
        return exchange.measurement
    if column in call:
        return call[column]
    if column == "response_id" and exchange.columns.get(column, "") is None:
        return identity.response_id(log, exchange.columns, identity.request_time(log))
    return exchange.columns.get(column, getattr(exchange.usage, column, None))
