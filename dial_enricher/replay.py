"""Dead letters are read again: each becomes the events of the record that it is about.

A letter of points, which a server would not take, has them written as they are: some of them may be stored
after all, and only the very same points count once. A letter without points that kept its record is decoded
anew, so that a repaired program, other settings or a repaired record give it a second chance.
"""

import re
from base64 import b64decode
from typing import Any

from dial_enricher import jsontext, logformat
from dial_enricher.errors import BadRecord, Code
from dial_enricher.event import Event, Excess, Fault, Json, Line
from dial_enricher.schema import MEASUREMENTS

GROWTH = 8
"""How many times longer than its record a letter may be: escapes take six bytes, points come on top."""
_STAGE = "replay"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TAG = r"(?:,(?:[^\\,= ]|\\.)+=(?:[^\\,= ]|\\.)+)"
_FIELD = r'[^",= ]+=(?:"(?:[^"\\]|\\.)*"|[^", ]+)'
_POINT = re.compile(rf"({'|'.join(MEASUREMENTS)}){_TAG}* {_FIELD}(?:,{_FIELD})* -?[0-9]{{1,19}}")
"""Line protocol of our measurements. More lenient than what we write; it only has to keep garbage out."""
_NEVER_WRITTEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def decode(line: Line) -> list[Event]:
    """The events of a letter, at least one; in place of `logformat.decode`, where letters are the input.

    Events have the place of the record, not that of the letter, and its bytes: when they die again, their
    letters can be replayed again. The digest of a record is not checked: whoever mended it wants it read.
    An event from points may have no bytes; its line holds the length and the digest of those that died.
    A line that is no letter is dead where it stands.
    """
    if line.excess or line.damage:
        return logformat.decode(line)
    document = line.raw.strip(logformat.MARGIN)
    if not document:
        return [Event(line.raw, line, ignored=logformat.BLANK)]
    try:
        letter = _letter(document)
        content = _content(letter)
        if letter.get("points"):
            return [_from_points(letter, content, line)]
        return _from_content(letter, content, line)
    except BadRecord as problem:
        return [_dead(line, problem)]


def _letter(document: bytes) -> Json:
    """The object that a letter is. Raises BadRecord."""
    try:
        letter = jsontext.loads(document)
    except UnicodeDecodeError as error:
        raise BadRecord(Code.INVALID_UTF8, f"no UTF-8 at byte {error.start}") from None
    except jsontext.NotJson as error:
        raise BadRecord(Code.INVALID_JSON, str(error)) from None
    if not isinstance(letter, dict) or not {"code", "sha256"} <= letter.keys():
        raise BadRecord(Code.NOT_A_DIAL_LOG, "the line is no dead letter")
    if not isinstance(letter["sha256"], str) or not _SHA256.fullmatch(letter["sha256"]):
        raise BadRecord(Code.NOT_A_DIAL_LOG, "the sha256 of the letter is none")
    return letter


def _content(letter: Json) -> bytes:
    """The record that a letter kept; empty when it kept none. Raises BadRecord."""
    try:
        if content := letter.get("content"):
            return bytes(content.encode("utf-8", "surrogatepass"))
        return b64decode(letter.get("content_base64") or b"", validate=True)
    except (AttributeError, TypeError, ValueError):
        raise BadRecord(Code.NOT_A_DIAL_LOG, "the content of the letter is no text and no base64") from None


def _from_content(letter: Json, content: bytes, line: Line) -> list[Event]:
    origin = _origin(letter, content, line)
    assert origin.excess is not None
    if letter["code"] == Code.DAMAGED_ARCHIVE:
        detail = "the rest of the file was lost with it: read a good copy of the file"
        return [_dead(origin, BadRecord(Code.DAMAGED_ARCHIVE, detail))]
    if not content:
        detail = "the letter was written without --dead-letter-content"
        return [_dead(origin, BadRecord(Code.MISSING_FIELD, detail))]
    if letter["code"] == Code.LINE_TOO_LONG and origin.excess.length > len(content):
        detail = f"only the head of its {origin.excess.length} bytes was kept"
        return [_dead(origin, BadRecord(Code.LINE_TOO_LONG, detail))]
    origin.excess = None
    return logformat.decode(origin)


def _from_points(letter: Json, content: bytes, line: Line) -> Event:
    """An event that is rendered already: every stage leaves it alone, and the sink writes it."""
    points = letter["points"]
    if not isinstance(points, list):
        raise BadRecord(Code.NOT_A_DIAL_LOG, "the points of the letter are no list")
    measurements = [_measurement(point) for point in points]
    output = [f"{point}\n".encode() for point in points]
    return Event(content, _origin(letter, content, line), output=output, measurements=measurements)


def _measurement(point: Any) -> str:
    """Whose point it is. Raises BadRecord for what must not get into an output."""
    found = isinstance(point, str) and not _NEVER_WRITTEN.search(point) and _POINT.fullmatch(point)
    if not found:
        raise BadRecord(Code.NOT_A_DIAL_LOG, "a point of the letter is no line protocol of ours")
    return found[1]


def _origin(letter: Json, content: bytes, line: Line) -> Line:
    """What was read when the record died; where the letter does not tell, its own place."""
    source, number, length = (letter.get(key) for key in ("source", "line", "length"))
    whole = Excess(length if type(length) is int else len(content), letter["sha256"])
    if isinstance(source, str) and source.isprintable() and type(number) is int:
        return Line(content, source, number, whole)
    return Line(content, line.source, line.number, whole)


def _dead(line: Line, problem: BadRecord) -> Event:
    return Event(line.raw, line, fault=Fault(problem.code, _STAGE, problem.detail))
