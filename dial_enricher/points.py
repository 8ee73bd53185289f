"""An exchange becomes its points: columns sorted into tags and fields, every value clean.

What a point holds can be written in any format without a second look: no control characters, no lone
surrogates, tags without backslashes, integers of 64 bits, finite floats, bounded lengths.
"""

import dataclasses
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from dial_enricher import identity
from dial_enricher.errors import BadRecord, Code
from dial_enricher.event import Event, Exchange, Json, Log, Point, Usage
from dial_enricher.schema import COLUMNS, UNDEFINED, Kind, Measurement
from dial_enricher.values import Notes

MAX_TAG_BYTES = 2048
"""InfluxDB refuses a series whose tags take more than 64 KB together."""
MAX_STRING_BYTES = 64 * 1024
"""InfluxDB 2 takes no longer string field."""
_USAGE_COLUMNS = tuple(column.name for column in dataclasses.fields(Usage))
_usage_values = attrgetter(*_USAGE_COLUMNS)
_SHORT = 512
"""So many characters are within every bound."""
_MAX_INTEGER = 2**63 - 1
_MIN_TIME, _MAX_TIME = -(2**63) + 2, 2**63 - 2
"""The first and the last nanosecond that InfluxDB knows."""

_TO_CLEAN = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], " ") | dict.fromkeys(
    range(0xD800, 0xE000), "\ufffd"
)
_TAG_BACKSLASH = "\uff3c"
"""A backslash in a tag has no spelling that InfluxDB 1, 2 and 3 read alike: its full-width form has."""


class PointBuilder:
    """Makes the points of an event, one for each call that the exchange holds."""

    def __init__(self, measurements: Mapping[str, Measurement]) -> None:
        self._measurements = measurements
        self._fields = {name: _fields(measurement) for name, measurement in measurements.items()}

    def build(self, event: Event) -> None:
        """Fills `event.points`. Raises BadRecord for a request without a usable time."""
        log, exchange = event.log, event.exchange
        if log is None or exchange is None:
            return
        time = identity.request_time(log)
        columns = _all_columns(log, exchange, time)
        identified = self._measurements[exchange.measurement].tags_identify and identity.has_trace(columns)
        for position, call in enumerate(exchange.calls or [{}]):
            at = time if identified else time + identity.offset(log, columns, position)
            columns.update(call)
            event.points.append(self._point(exchange.measurement, columns, at, log.notes))

    def _point(self, name: str, columns: Json, time: int, notes: Notes) -> Point:
        if not _MIN_TIME <= time <= _MAX_TIME:
            raise BadRecord(Code.UNSERIALIZABLE, "request.time is outside the years 1678 to 2262")
        tags = {tag: _tag(columns.get(tag), notes) for tag in self._measurements[name].tags}
        fields = {
            field: read(value, notes)
            for field, read, sparse in self._fields[name]
            if (value := columns.get(field)) is not None or not sparse
        }
        return Point(name, tags, fields, time)


Reader = Callable[[Any, Notes], str | int | float]
"""Makes a value clean."""


def reader(measurement: Measurement, column: str) -> Reader | None:
    """What makes the values of a column clean; None for one that the measurement does not have."""
    if column in measurement.tags:
        return _tag
    return _READERS[COLUMNS[column].kind] if column in measurement.fields else None


def _fields(measurement: Measurement) -> list[tuple[str, Reader, bool]]:
    """Each field with what makes its value clean, and whether it is left out when nothing is known."""
    return [(name, _READERS[COLUMNS[name].kind], name in measurement.sparse) for name in measurement.fields]


def _all_columns(log: Log, exchange: Exchange, time: int) -> Json:
    columns = dict(exchange.columns)
    if exchange.usage is not None:
        columns.update(zip(_USAGE_COLUMNS, _usage_values(exchange.usage), strict=True))
    if columns.get("response_id", "") is None:
        columns["response_id"] = identity.response_id(log, columns, time)
    return columns


def _tag(value: str | None, notes: Notes) -> str:
    if not value:
        return UNDEFINED
    if value.isprintable() and "\\" not in value and len(value) < _SHORT:  # nearly always
        return value
    return _cut(_printable(value).replace("\\", _TAG_BACKSLASH), MAX_TAG_BYTES, notes)


def _string(value: str | None, notes: Notes) -> str:
    if not value:
        return UNDEFINED
    if value.isprintable() and len(value) < _SHORT:
        return value
    return _cut(_printable(value), MAX_STRING_BYTES, notes)


def _printable(value: str) -> str:
    """A text without control characters and lone surrogates."""
    return value.translate(_TO_CLEAN)


def _integer(value: int | None, notes: Notes) -> int:
    if value is not None and value > _MAX_INTEGER:
        notes["clamped_integer"] += 1
        return _MAX_INTEGER
    return value or 0


def _float(value: float | None, notes: Notes) -> float:
    return value or 0.0


_READERS: dict[Kind, Reader] = {Kind.STRING: _string, Kind.INTEGER: _integer, Kind.FLOAT: _float}


_KINDS: dict[type, Kind] = {str: Kind.STRING, int: Kind.INTEGER, float: Kind.FLOAT}


def clean(value: str | int | float, notes: Notes) -> str | int | float:
    """A value as a field would hold it, by the type that it has."""
    return _READERS[_KINDS[type(value)]](value, notes)


def _cut(value: str, limit: int, notes: Notes) -> str:
    """The longest beginning of a text that has at most so many bytes in UTF-8 and ends at a character."""
    encoded = value.encode()
    if len(encoded) <= limit:
        return value
    notes["cut_text"] += 1
    return encoded[:limit].decode(errors="ignore")
