"""A line without the raw stream of its answer, where DIAL Core has assembled the answer beside it.

The stream is most of the bytes of such a line, and nothing of it is needed. It is left out only where the
line is as Core writes it: `response` is its last member, and `body` the last of that, behind the status.
Whatever looks otherwise is decoded as it is. Damage inside the stream is not noticed.
"""

import re

_RESPONSE = b',"response":{'
"""Stands nowhere inside a text: there its quotes would be escaped."""
_ASSEMBLED = b',"assembled_response":"{'
_END = b'"}}'
_HEAD = re.compile(
    rb',"response":\{"status":(?:"\d{3}"|\d{3})(?:,"upstream_uri":(?:"(?:[^"\\]|\\.)*"|null))?,"body":"'
)
_DATA = b"data:"
_LINE_END = b"\\n"
_NEXT_MEMBER = b',"'


def skimmed(line: bytes) -> bytes | None:
    """The line with an empty response body; None where it has to be decoded as it is."""
    if not line.endswith(_END):
        return None
    assembled = line.find(_ASSEMBLED)
    head = _HEAD.match(line, line.find(_RESPONSE, assembled)) if assembled >= 0 else None
    if head is None or not _is_one_text(line, head.end(), len(line) - len(_END)):
        return None
    return line[: head.end()] + _END


def _is_one_text(line: bytes, begin: int, end: int) -> bool:
    """Whether a stream fills this part of a line.

    A member behind the stream would begin behind its last data, with a comma and a quote: inside a text the
    quote would be escaped. A line that was torn, and lost its end, would have the response of the next one.
    """
    last = line.rfind(_DATA, begin, end)
    return (
        last >= 0
        and line.endswith(_LINE_END, begin, end)
        and line.find(_NEXT_MEMBER, last, end) < 0
        and line.find(_RESPONSE, begin, last) < 0
    )
