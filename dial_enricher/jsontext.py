"""JSON as DIAL writes it: strict and fast when it can be, lenient where real logs need it.

Old DIAL Core escapes only `\\b \\f \\n \\r \\t " \\ /`, so other control characters stand raw inside
strings, and texts may hold lone surrogates. orjson refuses both; such documents, and only such,
go through the standard library's decoder.
"""

import json
from typing import Any

import orjson

CUT_MARK = ">>"
"""DIAL Core ends an entry or a body with this when it had to cut it."""

_BYTE_ORDER_MARK = "\ufeff"
_decoder = json.JSONDecoder(strict=False)


class NotJson(ValueError):
    """The text is no JSON document. The message holds a position, never the text."""


def loads(document: bytes | str) -> Any:
    """The value of a JSON document.

    Raises UnicodeDecodeError for bytes that are not UTF-8 and NotJson for anything else.
    """
    try:
        return orjson.loads(document)
    except orjson.JSONDecodeError:
        return _loads_leniently(document)


def _loads_leniently(document: bytes | str) -> Any:
    if isinstance(document, bytes):
        document = document.decode("utf-8")
    try:
        return _decoder.decode(document.removeprefix(_BYTE_ORDER_MARK))
    except (ValueError, RecursionError) as error:
        raise NotJson(_reason(error)) from None


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON from character {error.pos} on"
    if isinstance(error, RecursionError):
        return "JSON nested too deeply"
    return "a number is too long"  # for Python to convert it


def salvage(cut: str) -> dict[str, Any]:
    """The complete members of the object that a cut document began with; often none.

    What comes after the cut is lost, what stands before it is as good as ever.
    """
    members: dict[str, Any] = {}
    position = _skip(cut, 0, "{")
    while position:
        try:
            key, position = _decoder.raw_decode(cut, position)
            value, position = _decoder.raw_decode(cut, _skip(cut, position, ":"))
        except (ValueError, RecursionError):
            break
        comma = _skip(cut, position, ",")
        if not isinstance(key, str) or not comma:  # a number that touches the cut may have lost digits
            break
        members[key] = value
        position = comma
    return members


def _skip(cut: str, position: int, mark: str) -> int:
    """The position behind a mark and the white space around it; 0 when the mark is not there."""
    rest = _blank(cut, position)
    return _blank(cut, rest + 1) if cut.startswith(mark, rest) else 0


def _blank(cut: str, position: int) -> int:
    while position < len(cut) and cut[position] in " \t\r\n":
        position += 1
    return position


def dumps(value: Any) -> bytes:
    """The value as JSON on one line; also what only the lenient decoder could read.

    Raises NotJson for nesting that could be read but cannot be written.
    """
    try:
        return orjson.dumps(value)
    except (TypeError, RecursionError):  # a lone surrogate, an integer beyond 64 bits, deep nesting
        try:
            return json.dumps(value, separators=(",", ":")).encode()
        except RecursionError as error:
            raise NotJson(_reason(error)) from None
