"""One line of input becomes the DIAL log records that it holds.

Usually that is one record. A shipper may have wrapped it (Vector and Fluentd in `message`, Fluent Bit
in `log` or `exec`), and Vector's http sink sends arrays of such objects. Envelopes are known by their
content, not by a setting.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from dial_enricher import jsontext, skim
from dial_enricher.errors import BadRecord, Code
from dial_enricher.event import Event, Fault, Line, Log
from dial_enricher.take import dig, missing

BLANK = "blank"
"""Why a line without content is ignored."""

_URI = ("request", "uri")
_ENVELOPE_KEYS = ("message", "log", "exec")
_DEEPEST_ENVELOPE = 4
MARGIN = b" \t\r\n\0"
"""Never part of a record: files hold blocks of NUL bytes after a crash of the machine."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _Record(NamedTuple):
    content: Any
    """The decoded object, or the BadRecord that says why there is none."""
    line: bytes
    """The DIAL line itself."""
    is_skimmed: bool = False


def decode(line: Line) -> list[Event]:
    """The events of a line, at least one, each with its log, its fault or its reason to be ignored."""
    if line.damage:
        return [Event(line.raw, line, fault=Fault(Code.DAMAGED_ARCHIVE, "read", line.damage))]
    if line.excess:
        problem = BadRecord(Code.LINE_TOO_LONG, f"the line has {line.excess.length} bytes")
        return [_event(line, line.raw, _Record(problem, line.raw))]
    records = list(_read(line.raw.strip(MARGIN).removeprefix(_BYTE_ORDER_MARK), 0))
    if not records:
        return [Event(line.raw, line, ignored=BLANK)]
    if len(records) == 1:
        return [_event(line, line.raw, records[0])]
    return [_event(line, record.line, record) for record in records]


def is_whole(line: Line) -> bool:
    """Whether a line that has no newline behind it is a record all the same."""
    try:
        return line.excess is None and isinstance(jsontext.loads(line.raw.strip(MARGIN)), dict | list)
    except ValueError:
        return False


def _event(line: Line, raw: bytes, record: _Record) -> Event:
    if isinstance(record.content, BadRecord):
        return Event(raw, line, fault=Fault(record.content.code, "decode", record.content.detail))
    uri = record.content["request"]["uri"]
    if not isinstance(uri, str):
        return Event(raw, line, fault=Fault(Code.MISSING_FIELD, "decode", "request.uri is no text"))
    return Event(raw, line, Log(record.content, record.line, uri.partition("?")[0], record.is_skimmed))


def _read(document: bytes | str, depth: int) -> Iterator[_Record]:
    """The records in a line, or in the text that an envelope holds."""
    line = document.encode("utf-8", "surrogatepass") if isinstance(document, str) else document
    if not line:
        return
    if (content := _skimmed(line)) is not None:
        yield _Record(content, line, is_skimmed=True)
        return
    try:
        value = jsontext.loads(document)
    except UnicodeDecodeError as error:
        yield _Record(BadRecord(Code.INVALID_UTF8, f"no UTF-8 at byte {error.start}"), line)
    except jsontext.NotJson as error:
        cut = line.endswith(jsontext.CUT_MARK.encode())
        detail = f"the line was cut, it ends in {jsontext.CUT_MARK}" if cut else str(error)
        yield _Record(BadRecord(Code.INVALID_JSON, detail), line)
    else:
        yield from _unwrap(value, line, depth)


def _skimmed(line: bytes) -> Any:
    """The log of a line without the stream in it; None where that has to be decoded, or there is no log."""
    try:
        content = None if (rest := skim.skimmed(line)) is None else jsontext.loads(rest)
    except ValueError:
        return None
    return content if dig(content, _URI) else None


def _unwrap(value: Any, line: bytes, depth: int, *, is_part: bool = False) -> Iterator[_Record]:
    """The records in a value: all that the line holds, or a part that has no bytes of its own any more."""
    if isinstance(value, list) and depth < _DEEPEST_ENVELOPE:
        for item in value:
            yield from _unwrap(item, line, depth + 1, is_part=True)
    elif isinstance(value, dict) and not dig(value, _URI):
        yield from _open_envelope(value, line, depth, is_part)
    else:
        no_object = BadRecord(Code.NOT_A_DIAL_LOG, "the line is no JSON object")
        content = value if isinstance(value, dict) else no_object
        yield _record(content, value, line, is_part)


def _open_envelope(envelope: dict[str, Any], line: bytes, depth: int, is_part: bool) -> Iterator[_Record]:
    contents = [envelope[key] for key in _ENVELOPE_KEYS if key in envelope]
    content = next(filter(None, contents), None)
    if isinstance(content, str) and depth < _DEEPEST_ENVELOPE:
        yield from _read(content.strip(MARGIN.decode()), depth + 1)
    elif isinstance(content, dict | list) and depth < _DEEPEST_ENVELOPE:
        yield from _unwrap(content, line, depth + 1, is_part=True)
    elif "request" in envelope:
        yield _record(missing(_URI), envelope, line, is_part)
    elif content or not contents:  # an envelope around nothing holds no record
        problem = "the object has no request and is no known envelope"
        yield _record(BadRecord(Code.NOT_A_DIAL_LOG, problem), envelope, line, is_part)


def _record(content: Any, value: Any, line: bytes, is_part: bool) -> _Record:
    """The record of a value; a part is written out again, but only here, where its bytes are wanted."""
    if not is_part:
        return _Record(content, line)
    try:
        return _Record(content, jsontext.dumps(value))
    except jsontext.NotJson as error:
        return _Record(BadRecord(Code.INVALID_JSON, str(error)), line)
