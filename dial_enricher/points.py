"""An exchange becomes its points: columns sorted into tags and fields, every value clean.

What a point holds can be written in any format without a second look: no control characters, no lone
surrogates, tags without backslashes, integers of 64 bits, finite floats, bounded lengths.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from dial_enricher import identity
from dial_enricher.errors import BadRecord, Code
from dial_enricher.event import Event, Exchange, Json, Log, Point, Usage
from dial_enricher.schema import COLUMNS, UNDEFINED, Kind, Measurement
from dial_enricher.take import dig
from dial_enricher.values import Notes

MAX_TAG_BYTES = 2048
"""InfluxDB refuses a series whose tags take more than 64 KB together."""
MAX_STRING_BYTES = 64 * 1024
"""InfluxDB 2 takes no longer string field."""
_USAGE_COLUMNS = tuple(column.name for column in dataclasses.fields(Usage))
_MAX_INTEGER = 2**63 - 1
_MIN_TIME, _MAX_TIME = -(2**63) + 2, 2**63 - 2
"""The first and the last nanosecond that InfluxDB knows."""

_UNCLEAN = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff]")
_TO_CLEAN_FIELD = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], " ") | dict.fromkeys(
    range(0xD800, 0xE000), "\ufffd"
)
_TO_CLEAN_TAG = _TO_CLEAN_FIELD | {ord("\\"): "\uff3c"}
"""A backslash in a tag has no spelling that InfluxDB 1, 2 and 3 read alike: its full-width form has."""


class PointBuilder:
    """Makes the points of an event, one for each call that the exchange holds."""

    def __init__(self, measurements: Mapping[str, Measurement]) -> None:
        self._measurements = measurements

    def build(self, event: Event) -> None:
        """Fills `event.points`. Raises BadRecord for a request without a usable time."""
        log, exchange = event.log, event.exchange
        if log is None or exchange is None:
            return
        time = identity.nanoseconds(dig(log.data, ("request", "time")))
        columns = _all_columns(log, exchange, time)
        measurement = self._measurements[exchange.measurement]
        for position, call in enumerate(exchange.calls or [{}]):
            unique = measurement.tags_identify and identity.has_trace(columns)
            at = time if unique else time + identity.offset(log, columns, position)
            event.points.append(_point(measurement, {**columns, **call}, at, log.notes))


def _all_columns(log: Log, exchange: Exchange, time: int) -> Json:
    columns = dict(exchange.columns)
    if exchange.usage is not None:
        columns.update((name, getattr(exchange.usage, name)) for name in _USAGE_COLUMNS)
    if columns.get("response_id", "") is None:
        columns["response_id"] = identity.response_id(log, columns, time)
    return columns


def _point(measurement: Measurement, columns: Json, time: int, notes: Notes) -> Point:
    if not _MIN_TIME <= time <= _MAX_TIME:
        raise BadRecord(Code.UNSERIALIZABLE, "request.time is outside the years 1678 to 2262")
    tags = {name: _tag(columns.get(name), notes) for name in measurement.tags}
    fields: dict[str, str | int | float] = {}
    for name in measurement.fields:
        value = columns.get(name)
        if value is not None or name not in measurement.sparse:
            fields[name] = _FIELD_OF_KIND[COLUMNS[name].kind](value, notes)
    return Point(measurement.name, tags, fields, time)


def _tag(value: str | None, notes: Notes) -> str:
    if not value:
        return UNDEFINED
    if _UNCLEAN.search(value):
        value = value.translate(_TO_CLEAN_TAG)
    return _cut(value, MAX_TAG_BYTES, notes) if len(value) * 4 > MAX_TAG_BYTES else value


def _string(value: str | None, notes: Notes) -> str:
    if not value:
        return UNDEFINED
    if _UNCLEAN.search(value):
        value = value.translate(_TO_CLEAN_FIELD)
    return _cut(value, MAX_STRING_BYTES, notes) if len(value) * 4 > MAX_STRING_BYTES else value


def _integer(value: int | None, notes: Notes) -> int:
    if value is not None and value > _MAX_INTEGER:
        notes["clamped_integer"] += 1
        return _MAX_INTEGER
    return value or 0


def _float(value: float | None, notes: Notes) -> float:
    return float(value or 0)


_FIELD_OF_KIND: dict[Kind, Any] = {Kind.STRING: _string, Kind.INTEGER: _integer, Kind.FLOAT: _float}


def _cut(value: str, limit: int, notes: Notes) -> str:
    """The longest beginning of a text that has at most so many bytes in UTF-8 and ends at a character."""
    encoded = value.encode()
    if len(encoded) <= limit:
        return value
    notes["cut_text"] += 1
    return encoded[:limit].decode(errors="ignore")
