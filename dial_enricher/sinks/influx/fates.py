"""What a server's answer means for the lines that were sent: one table from status to fate. Pure.

Read from the answers of InfluxDB 1.6 to 1.8, 2.x, 3 Core and Cloud, and of the proxies before them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from functools import cached_property
from http import HTTPStatus
from typing import Any

from dial_enricher import jsontext

NO_ANSWER = 0
"""Instead of a status: there was no connection, or it broke before the answer."""
DISTRUSTED = -1
"""Instead of a status: the server's certificate is not to be trusted."""
LONGEST_RETRY_AFTER = 300.0
"""Seconds. A server that asks for more is asked again all the same."""
_LONGEST_WORDS = 300
_HEAD = 100
"""Of longer words so much of the beginning is kept, and the end: a reason stands behind what it quotes."""


class Fate(Enum):
    STORED = auto()
    TOO_LARGE = auto()
    """The request was; its halves may not be."""
    REFUSED = auto()
    """At least one line will never be taken."""
    MISCONFIGURED = auto()
    """Nothing will be taken until somebody changes a setting."""
    AWAY = auto()
    """Nothing is taken for now; perhaps all was stored and the answer is lost. Sending again is harmless."""


@dataclass(frozen=True)
class Answer:
    """What came back for one request."""

    status: int
    """HTTP's, or NO_ANSWER, or DISTRUSTED."""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    trouble: str = ""
    """In place of an answer: what went wrong, in a few words."""

    @cached_property
    def document(self) -> dict[str, Any]:
        """The JSON object in the body; empty when there is none. Read once: it may quote a whole batch."""
        try:
            document = jsontext.loads(self.body)
        except (jsontext.NotJson, UnicodeDecodeError):
            return {}
        return document if isinstance(document, dict) else {}


FATES: dict[int, Fate] = {
    DISTRUSTED: Fate.MISCONFIGURED,  # waiting does not mend a certificate
    NO_ANSWER: Fate.AWAY,  # refused, reset, timed out, or lost after the write
    204: Fate.STORED,  # the only success that all versions have; 200 is a proxy's login page
    400: Fate.REFUSED,  # a line that cannot be read, a field of another type; 1 mostly stored the rest
    408: Fate.AWAY,  # a proxy lost patience with the upload
    413: Fate.TOO_LARGE,  # 25 MB in version 1, 10 MiB in 3, often 1 MB in a proxy
    422: Fate.REFUSED,  # version 2: a field of another type, or beyond retention; the rest is stored
    425: Fate.AWAY,  # too early: TLS 1.3 wants it again
    429: Fate.AWAY,  # Cloud's quota
    501: Fate.MISCONFIGURED,  # not InfluxDB's: this path does no writing
}
"""By status. Other 5xx are AWAY: the server has a bad day. All else is MISCONFIGURED: 401 and 403 (token,
password, right), 404 (database, bucket, path), redirects and pages of proxies."""

_BEYOND_RETENTION = re.compile(r"(?i)(beyond|outside|violates).{0,30}retention")
"""Said with 400, 422 and, by some releases of 2, with 500: such a point is never stored."""


def fate(answer: Answer) -> Fate:
    """What becomes of the lines of the request."""
    known = FATES.get(answer.status)
    if known is Fate.REFUSED and not _is_from_influxdb(answer):
        return Fate.MISCONFIGURED
    if known is not None:
        return known
    if answer.status < 500:
        return Fate.MISCONFIGURED
    return Fate.REFUSED if _BEYOND_RETENTION.search(_message(answer)) else Fate.AWAY


def _is_from_influxdb(answer: Answer) -> bool:
    """Whether InfluxDB looked at the lines, not a proxy, a firewall or a server for TLS at the request."""
    return bool(answer.document) or any("influx" in name for name in answer.headers)


def words(answer: Answer) -> str:
    """What the server said, in one line; its name for the status when it said nothing readable."""
    if answer.trouble:
        return answer.trouble
    return _line(_message(answer)) or f"{answer.status} {_reason(answer.status)}".strip()


def _message(answer: Answer) -> str:
    if document := answer.document:
        said, data = document.get("message") or document.get("error"), document.get("data")
        detail = data.get("error_message") if isinstance(data, dict) else None
        return ": ".join(part for part in (said, detail) if isinstance(part, str))
    if "html" in answer.headers.get("content-type", "") or answer.body.lstrip().startswith(b"<"):
        return f"{answer.status} {_reason(answer.status)}, a web page"
    text = answer.body.decode(errors="replace") or answer.headers.get("x-influxdb-error", "")
    return text if text.isprintable() or "\n" in text else ""


def _line(text: str) -> str:
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    if len(line) <= _LONGEST_WORDS:
        return line
    return f"{line[:_HEAD]} ... {line[_HEAD - _LONGEST_WORDS :]}"


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def refused_lines(answer: Answer, count: int) -> dict[int, str]:
    """The lines that version 3 names in its list, by their place from 0, with its words for each.

    Empty when it names none, or any that was not sent: they have to be found otherwise.
    """
    listed = answer.document.get("data")
    named: dict[int, str] = {}
    for item in listed if isinstance(listed, list) else ():
        number = item.get("line_number") if isinstance(item, dict) else None
        if not isinstance(number, int) or not 1 <= number <= count:
            return {}
        named[number - 1] = _line(str(item.get("error_message") or words(answer)))
    return named


_DROPPED = re.compile(r"\bdropped=(\d+)\s*$")
"""At the end: what stands before may be quoted from a tag."""


def dropped(answer: Answer) -> int:
    """How many lines versions 1 and 2 say they dropped while they stored the others; 0 when they say none."""
    told = _DROPPED.search(_message(answer))
    return int(told[1]) if told else 0


def retry_after(answer: Answer, now: datetime) -> float:
    """Seconds that the server asks to wait, as a number or as a date; 0 when it does not ask."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_RETRY_AFTER)
    date = http_date(value)
    return min(max(0.0, (date - now).total_seconds()), LONGEST_RETRY_AFTER) if date else 0.0


def http_date(text: str) -> datetime | None:
    """A moment as HTTP's headers tell it; None for what is none."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
