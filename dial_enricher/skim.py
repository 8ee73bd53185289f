"""A line without the raw stream of its answer, where DIAL Core has assembled the answer beside it.

The stream is most of the bytes of such a line, and nothing of it is needed. It is left out only where the
line is as Core writes it: `response` is its last member, and `body` the last of that, behind the status.
Whatever looks otherwise is decoded as it is. Damage inside the stream is not noticed.
"""

import re

_RESPONSE = b',"response":{"status":'
"""Stands nowhere inside a text: there its quotes would be escaped."""
_ASSEMBLED = b',"assembled_response":"{'
_END = b'"}}'
_STREAM_END = rb'\n"}}'
_HEAD = re.compile(
    rb',"response":\{"status":(?:"\d{3}"|\d{3})(?:,"upstream_uri":(?:"(?:[^"\\]|\\.)*"|null))?,"body":"'
)
_DATA = b"data:"
_NEXT_MEMBER = b',"'


def skimmed(line: bytes) -> bytes | None:
    """The line with an empty response body; None where it has to be decoded as it is."""
    if not line.endswith(_STREAM_END):
        return None
    assembled = line.find(_ASSEMBLED)
    # The last one: of a line that was torn, and that the next one is glued to, no JSON is left before it.
    response = line.rfind(_RESPONSE, assembled) if assembled >= 0 else -1
    head = _HEAD.match(line, response) if response >= 0 else None
    if head is None or not _is_stream(line, head.end()):
        return None
    return line[: head.end()] + _END


def _is_stream(line: bytes, begin: int) -> bool:
    """Whether a stream fills the rest of a line.

    A member behind it would begin behind its last data, with a comma and a quote: inside a text the quote
    would be escaped.
    """
    last = line.rfind(_DATA, begin)
    return last >= 0 and line.find(_NEXT_MEMBER, last) < 0
