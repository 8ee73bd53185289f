"""When a request happened and what tells it from every other: made from the log alone.

Nothing here is random and nothing reads a clock, so reading the same log twice gives the same points,
and writing them twice changes nothing in InfluxDB.
"""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID, uuid5

from dial_enricher.errors import BadRecord, Code
from dial_enricher.event import Json, Log
from dial_enricher.take import need

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_SECONDS = 86_400
_NO_TIME = "request.time is no ISO 8601 time"
_MILLISECOND_NS = 1_000_000
_STRIDE = 7919
"""Shares no divisor with a million, so that a million positions differ."""
_NAMESPACE = UUID("6f0b3c7e-5a52-5d0c-9a5e-3b1f9d0c4d11")
"""Ours, fixed for ever: other ids would count every request again on a replay."""


def request_time(log: Log) -> int:
    """When a request came, in nanoseconds since 1970. Raises BadRecord where the log does not tell it."""
    return nanoseconds(need(log.data, ("request", "time")))


def nanoseconds(time: Any) -> int:
    """`request.time` as nanoseconds since 1970; without a zone it is UTC.

    Accepts what dateutil's isoparse accepts. Raises BadRecord for anything else.
    """
    if not isinstance(time, str):
        raise BadRecord(Code.MISSING_FIELD, _NO_TIME)
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        moment = _isoparse(time)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    return (since.days * _DAY_SECONDS + since.seconds) * 1_000_000_000 + since.microseconds * 1000


def _isoparse(time: str) -> datetime:
    from dateutil.parser import isoparse  # slow to import, and fromisoformat reads what Core writes

    try:
        return isoparse(time)
    except (ValueError, OverflowError):
        raise BadRecord(Code.MISSING_FIELD, _NO_TIME) from None


def has_trace(columns: Json) -> bool:
    """Whether Core traced the request; logs of early 2024 and requests from outside have no trace."""
    return bool(columns.get("trace_id") and columns.get("core_span_id"))


def response_id(log: Log, columns: Json, time: int) -> str:
    """A UUID (version 5) for an answer that brought no id of its own."""
    seed = b"%s\n%d\n%s" % (_seed(log, columns), time, _encoded(columns.get("deployment") or ""))
    return str(uuid5(_NAMESPACE, blake2b(seed).hexdigest()))


def offset(log: Log, columns: Json, position: int) -> int:
    """Nanoseconds below one millisecond that keep requests of the same millisecond and tags apart.

    `position` counts the calls of a JSON-RPC batch from 0; no two of them have the same offset.
    """
    digest = blake2b(_seed(log, columns), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + position * _STRIDE) % _MILLISECOND_NS


def _seed(log: Log, columns: Json) -> bytes:
    """What is unlike in any two requests: the span, without a trace the whole line."""
    if has_trace(columns):
        return _encoded(f"{columns['trace_id']}\n{columns['core_span_id']}")
    return log.line


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
