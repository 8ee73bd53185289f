"""Ways to spoil a log line, for tests that nothing of the kind stops the program.

A mutation is made from a few numbers, so that hypothesis can choose and shrink it.
"""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.support import SAMPLE_LINES, Json

INNER = (("request", "body"), ("response", "body"), ("assembled_response",))
"""Where a log holds JSON as text."""


def _nested(depth: int) -> str:
    return "[" * depth + "]" * depth


RAW = {
    "@nan@": "NaN",
    "@infinity@": "-Infinity",
    "@overflow@": "1e999",
    "@underflow@": "1e-999",
    "@digits@": "9" * 5000,
    "@lone@": r'"\ud83d"',
    "@lists@": _nested(100_000),
    "@objects@": '{"a":' * 100_000 + "1" + "}" * 100_000,
    **{f"@{depth}@": _nested(depth) for depth in (200, 254, 255, 500, 900, 985, 990, 1000, 1018, 1020, 1023)},
}
"""JSON that no value of Python is written as, by a text that stands for it."""

NUMBERS = (
    *(0, -1, 1, 204, 2.5, -0.0, 5e-324, 1e300, 10**30),
    *(2**31, 2**63 - 1, 2**63, 2**64, -(2**63) - 1),
)
NUMBERS_AS_TEXT = ("0", "-7", "22.0", "1e5", "1e400", "nan", "inf", "١٢", "1_000", "0x10", "9" * 5000)
TEXTS = (
    *("", " ", "x", "undefined", "a,b=c d\\", '"', "a\nb\r\tc", "\x00\x7f\x85", "\u2028"),
    *("\ud83d\ude00", "\\ud83d", "ü" * 70_000),
)
DOCUMENTS_AS_TEXT = (
    *("{", "[1", '{"a":1,"b"', '{"model":"m","messages":[{"role', "null", "5", '"t"', ">>"),
    *("data: {}", "data:[DONE]\n\n"),
)
STATUS_TIME_AND_PATH = (
    *("200", "299.5", "300", "2026-03-02T07:30", "9999-12-31T24:00", "0001-01-01T00:00+23:59", "2026-02-30"),
    *("/openai/deployments//chat/completions", "/openai/deployments/%ff%00/embeddings"),
    *("/v1/x/rate", "?", "//"),
)
STRUCTURES: tuple[Any, ...] = (
    *([], {}, [[]], [{}], [None, 1, "x"], {"": None}),
    *({"id": {}}, {"content": {"text": []}}, {"index": "x"}, {"message": {"usage": 5}}),
    *([{"type": "text"}], [{"type": "text", "text": 5}], [{"index": -1, "delta": 7}]),
    *({"request": {"uri": 5}}, {"message": "{}"}, [{"log": "[]"}], {"exec": {"message": []}}),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False),
    *NUMBERS,
    *NUMBERS_AS_TEXT,
    *TEXTS,
    *DOCUMENTS_AS_TEXT,
    *STATUS_TIME_AND_PATH,
    *STRUCTURES,
    *RAW,
)

Path = tuple[str | int, ...]


def _paths(value: Any, path: Path = ()) -> list[Path]:
    """Every place in a document."""
    found: list[Path] = [path]
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        found += _paths(inner, (*path, key))
    return found


def _with(document: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """The document with one place changed."""
    if not path:
        return change(document)
    copy: Any = document.copy()
    copy[path[0]] = _with(document[path[0]], path[1:], change)
    return copy


def _written(document: Any) -> str:
    text = json.dumps(document)
    for mark, raw in RAW.items():
        text = text.replace(json.dumps(mark), raw)
    return text


def _doubled(value: Any, other: Any) -> Any:
    """An object whose first key is there twice: the second one in a spelling that `json` takes for new."""
    if not isinstance(value, dict) or not value:
        return other
    key = next(iter(value))
    return {**value, key + "@again@": other}


def _decoded(line: bytes) -> list[Json]:
    value = json.loads(line, strict=False)
    records = value if isinstance(value, list) else [value]
    inner = [
        next((record[key] for key in ("message", "log", "exec") if key in record), None) for record in records
    ]
    return [
        json.loads(text, strict=False) if text else record
        for text, record in zip(inner, records, strict=True)
    ]


RECORDS = [record for line in SAMPLE_LINES if not line.endswith(b">>\n") for record in _decoded(line)]
"""Every record of the sample that is whole, out of its envelope."""


def swap(record: Json, place: int, value: Any, inside: int, double: bool) -> str:
    """The record with one value in another's place: in the outer object, or in an inner document."""

    def change(document: Any) -> Any:
        paths = _paths(document)
        path = paths[place % len(paths)]
        return _with(document, path, lambda old: _doubled(old, value) if double else value)

    holder = INNER[inside % len(INNER)]
    text: Any = record
    for key in holder:
        text = text.get(key) if isinstance(text, dict) else None
    if inside >= len(INNER) or not isinstance(text, str) or not text:
        return _written(change(record)).replace("@again@", "")
    return _written(_with(record, holder, lambda body: _change_text(body, place, change))).replace(
        "@again@", ""
    )


def _change_text(body: str, place: int, change: Callable[[Any], Any]) -> str:
    """A JSON text changed inside; of a stream one of its chunks."""
    chunks = body.split("\n")
    places = [number for number, chunk in enumerate(chunks) if chunk.startswith("data: {")]
    if places:
        at = places[place % len(places)]
        chunks[at] = "data: " + _change_text(chunks[at][6:].rstrip("\r"), place, change)
        return "\n".join(chunks)
    try:
        return _written(change(json.loads(body, strict=False))).replace("@again@", "")
    except json.JSONDecodeError:  # cut, or no JSON from the start
        return body[: place % (len(body) + 1)]


def swapped() -> st.SearchStrategy[bytes]:
    """Lines with a value of another type, or a key twice, anywhere in them."""
    return st.builds(
        lambda record, place, value, inside, double: (
            swap(record, place, value, inside, double).encode() + b"\n"
        ),
        st.sampled_from(RECORDS),
        st.integers(0, 400),
        st.sampled_from(VALUES),
        st.integers(0, 2 * len(INNER)),
        st.booleans(),
    )


def damage(line: bytes, at: int, what: str, noise: bytes) -> bytes:
    """The line with its bytes damaged somewhere."""
    body = line[:-1]
    at %= len(body) + 1
    after = {
        "cut": b"",
        "cut by Core": b">>",
        "overwrite": noise + body[at + len(noise) :],
        "insert": noise + body[at:],
        "delete": body[at + len(noise) :],
        "double": body[at : at + 40] + body[at:],
    }
    return body[:at] + after[what] + b"\n"


MARKS = [b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\0", b"\n", b"\r"]
NOISE = st.binary(min_size=1, max_size=8) | st.sampled_from([*MARKS, b"\\u", b"\\ud83d", b"\xed\xa0\xbd"])


def damaged() -> st.SearchStrategy[bytes]:
    """Lines of the sample with some bytes lost, doubled or foreign."""
    kinds = ("cut", "cut by Core", "overwrite", "insert", "delete", "double")
    return st.builds(
        damage, st.sampled_from(SAMPLE_LINES), st.integers(0, 8000), st.sampled_from(kinds), NOISE
    )
