"""The one type that travels: an `Event` is one record on its way from an input to a sink.

A batch is a `list[Event]` in input order from the first stage to the last. A stage reads what the
stages before it filled in, and skips nothing by itself: the driver hands it live events only.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dial_enricher.errors import Code

Json = dict[str, Any]


@dataclass(slots=True, eq=False)
class Origin:
    """A file that lines are read from, as long as it only grows; one that was cut is another origin."""

    path: str
    """Its present name."""
    device: int
    inode: int
    head: bytes = b""
    """Its first bytes, which tell it from others."""


@dataclass(slots=True)
class Line:
    """One line as read, without its newline."""

    raw: bytes
    source: str
    """File name, or `stdin`."""
    number: int
    """Counted from 1 within the source."""
    excess: "Excess | None" = None
    """Set when the line was longer than allowed; `raw` is then only its head."""
    origin: Origin | None = None
    """None where nobody wants to know how far a file was read."""
    begin: int = 0
    """Bytes of the source before the line."""
    end: int = 0
    """Bytes of the source up to the next line."""
    damage: str = ""
    """Why the source could not be read on; `raw` is then what was read of the line, maybe nothing."""


@dataclass(slots=True, frozen=True)
class Excess:
    """What is still known of a line that was too long to keep."""

    length: int
    """Bytes of the whole line."""
    sha256: str
    """Hexadecimal digest of the whole line."""


@dataclass(slots=True, frozen=True)
class Fault:
    """Why an event is dead, and where that was found out. Holds no text of the record."""

    code: Code
    stage: str
    detail: str


@dataclass(slots=True)
class Log:
    """A DIAL log record, decoded and checked. Not changed afterwards, except that readers add notes."""

    data: Json
    """The outer object as DIAL Core wrote it."""
    line: bytes
    """The DIAL line itself, without a shipper's envelope: what ids are made from."""
    path: str
    """`request.uri` without its query string."""
    is_skimmed: bool = False
    """`data` lacks the response body, which was not needed so far; `line` has it."""
    notes: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    """What had to be mended on the way (a counter name and how often), for the statistics."""


@dataclass(slots=True)
class Texts:
    """The natural language of an exchange: parts are trimmed, and none is empty."""

    request: list[str] = field(default_factory=list)
    """Every part of the request, in order."""
    answer: list[str] = field(default_factory=list)
    """Every part of the answer, in order."""
    asked: list[str] = field(default_factory=list)
    """The parts of the request that tell its language: the last one; for embeddings all."""


@dataclass(slots=True)
class Usage:
    """Tokens and money of one exchange. A count is None when nothing tells it."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_prompt_tokens: int | None = None
    cache_write_prompt_tokens: int | None = None
    reasoning_completion_tokens: int | None = None
    price: float | None = None
    deployment_price: float | None = None


@dataclass(slots=True)
class Exchange:
    """What an endpoint understood of a log.

    `columns` is flat: which column becomes a tag and which a field is the schema's decision. A `response_id`
    of None means that the answer brought none, and that one is to be made; a `language` or `topic` of None
    that it was looked for, and not found.
    """

    measurement: str
    columns: dict[str, Any]
    usage: Usage | None = None
    """None where the measurement knows no tokens and no price."""
    usage_per_model: list[tuple[str, Usage]] = field(default_factory=list)
    """Usage by model, where an application reports it (`statistics.usage_per_model`)."""
    calls: list[Json] = field(default_factory=list)
    """Columns of each call of a batch, over the common ones: one point each. Empty: one point."""
    read_texts: Callable[[], Texts] = Texts
    """Collects the texts; called only when somebody needs them."""
    _texts: Texts | None = None

    def texts(self) -> Texts:
        """The texts of the exchange, collected once."""
        if self._texts is None:
            self._texts = self.read_texts()
        return self._texts


@dataclass(slots=True)
class Point:
    """One InfluxDB point. Values are clean: of their type, within bounds, without control characters."""

    measurement: str
    tags: dict[str, str]
    """Sorted by name; none is empty."""
    fields: dict[str, str | int | float]
    """Sorted by name; at least one."""
    time: int
    """Nanoseconds since 1970-01-01T00:00:00Z."""


@dataclass(slots=True)
class Event:
    """One record on its way. It ends written, ignored on purpose, or dead: exactly one of the three."""

    raw: bytes
    """The record as read; what a dead letter keeps, byte for byte."""
    line: Line
    """Where the record was read."""
    log: Log | None = None
    exchange: Exchange | None = None
    points: list[Point] = field(default_factory=list)
    output: list[bytes] = field(default_factory=list)
    """The points, rendered: one entry each, with one newline at its end."""
    measurements: list[str] = field(default_factory=list)
    """Whose points the output holds, entry by entry."""
    ignored: str | None = None
    """Why the record is skipped on purpose (`blank`, or the shape of an unknown path)."""
    fault: Fault | None = None
    """Set once; from then on every stage skips the event."""
    written: bool = False
    buried: bool = False
    """Its dead letter is written, or is not wanted."""
    ends_line: bool = False
    """It is the last record of its line."""
    lost: bool = False
    """Neither stored nor in a letter, and not for its own fault: it comes again."""

    @property
    def live(self) -> bool:
        return self.fault is None and self.ignored is None

    def release(self) -> None:
        """Forgets what only the stages need: decoded bodies take several times the room of the line."""
        self.log = self.exchange = None
        self.points = []
