"""Properties of single parts: lines, cut documents, streams, and points against another renderer."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import pairwise
from typing import Any

import influxdb_client
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dial_enricher import Enricher, jsontext, lineprotocol, streams
from dial_enricher.event import Point
from dial_enricher.split import Splitter
from tests import lp
from tests.dialcore.escaping import CONTROL
from tests.mutations import RECORDS
from tests.support import SAMPLE_LINES, Json

# Lines


def cut_at(data: bytes, places: list[int]) -> Iterator[bytes]:
    at = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return (data[begin:end] for begin, end in pairwise(at))


PIECES = st.lists(
    st.sampled_from([b"", b"a", b"bc", b"\r", b"\0", b"\xff", b"longer than that"]), max_size=12
)
LOGS = st.builds(lambda pieces, end: b"\n".join(pieces) + end, PIECES, st.sampled_from([b"", b"\n"]))


@given(LOGS, st.lists(st.integers(0, 200), max_size=8), st.integers(1, 20))
@settings(max_examples=500)
def test_chunks_become_the_lines_that_split_finds(data: bytes, places: list[int], longest: int) -> None:
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    splitter = Splitter("a source", longest)
    lines = [line for chunk in cut_at(data, places) for line in splitter.feed(chunk)] + splitter.finish()
    assert [line.raw for line in lines] == [one[:longest] for one in expected]
    assert [line.number for line in lines] == list(range(1, len(expected) + 1))
    assert {line.source for line in lines} <= {"a source"}
    for line, one in zip(lines, expected, strict=True):
        if len(one) > longest:
            assert line.excess is not None
            assert (line.excess.length, line.excess.sha256) == (len(one), sha256(one).hexdigest())
        else:
            assert line.excess is None


# Cut documents

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.text(max_size=8), VALUES, max_size=5)
ENCODERS: list[Callable[[Any], str]] = [
    json.dumps,
    json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode,
    json.JSONEncoder(indent=2).encode,
]


@given(DOCUMENTS, st.sampled_from(ENCODERS), st.integers(0, 300), st.sampled_from(["", ">>"]))
@settings(max_examples=500)
def test_salvage_finds_nothing_that_the_whole_has_not(
    document: Json, encode: Callable[[Any], str], length: int, mark: str
) -> None:
    text = encode(document)
    assume(length < len(text))
    salvaged = jsontext.salvage(text[:length] + mark)
    assert salvaged == dict(list(document.items())[: len(salvaged)])


@given(DOCUMENTS, st.sampled_from(ENCODERS))
def test_salvage_finds_every_member_before_the_cut(document: Json, encode: Callable[[Any], str]) -> None:
    """As many members as stand complete, with the comma behind them, in front of the cut."""
    members = list(document.items())
    written = [f"{encode(key)} : {encode(value)}" for key, value in members]
    for complete in range(1, len(members) + 1):
        cut = "{\n" + " ,".join(written[:complete])
        assert jsontext.salvage(cut + ',"next>>') == dict(members[:complete])
        assert jsontext.salvage(cut + ">>") == dict(members[: complete - 1]), "the last one may be half"


def test_every_prefix_of_real_bodies_is_salvaged_without_invention() -> None:
    for record in RECORDS[:40]:
        body = record["request"].get("body") or ""
        try:
            whole = json.loads(body, strict=False)
        except json.JSONDecodeError:
            continue
        if not isinstance(whole, dict):
            continue
        found = [jsontext.salvage(body[:length]) for length in range(len(body))]
        assert all(whole[key] == one[key] for one in found for key in one)
        sizes = [len(one) for one in found]
        assert sizes == sorted(sizes), "a longer prefix loses nothing"
        assert sizes[-1] == max(0, len(whole) - 1), "all but the member that touches the cut"


# Streams

NEWLINES = st.sampled_from(["\n", "\r\n"])
MERGES = {
    "/chat/completions": streams.merge_chat,
    "/v1/responses": streams.merge_responses,
    "/v1/messages": streams.merge_anthropic,
}


def _streams() -> list[tuple[Any, list[str]]]:
    """The payloads of every whole stream of the sample, with the merge for it."""
    found = []
    for record in RECORDS:
        uri, body = record["request"]["uri"], record["response"].get("body") or ""
        merge = next((merge for path, merge in MERGES.items() if path in uri), None)
        if merge and streams.is_stream(body) and not body.endswith(">>"):
            lines = body.replace("\r\n", "\n").split("\n")
            payloads = [line[5:].strip() for line in lines if line.startswith("data:")]
            found.append((merge, [payload for payload in payloads if payload != "[DONE]"]))
    return found


STREAMS = _streams()


def test_the_sample_has_streams_of_every_kind() -> None:
    assert Counter(merge for merge, _ in STREAMS).keys() == set(MERGES.values())


@st.composite
def written_streams(draw: st.DrawFn) -> tuple[Any, list[Json], str]:
    """A stream of the sample, written down in one of the many ways that are the same."""
    merge, payloads = draw(st.sampled_from(STREAMS))
    newline = draw(NEWLINES)
    gaps = draw(st.lists(st.integers(1, 3), min_size=1, max_size=9))
    colon = draw(st.sampled_from(["data:", "data: ", "data:  "]))
    noise = draw(
        st.lists(
            st.sampled_from(["", ": ping", "event: x", "id: 7", "retry: 10", ":"]), min_size=1, max_size=5
        )
    )
    ends = draw(st.sampled_from(["", "[DONE]"]))
    text = ""
    for number, payload in enumerate([*payloads, *filter(None, [ends])]):
        extra = noise[number % len(noise)]
        text += (extra + newline if extra else "") + colon + payload + newline * gaps[number % len(gaps)]
    start = draw(st.sampled_from(["", "\n", ": hello\n\n"]))
    stop = draw(st.integers(0, 3))
    text = start + (text.rstrip("\r\n") + newline * stop)
    return merge, [json.loads(payload, strict=False) for payload in payloads], text


@given(written_streams())
@settings(max_examples=400)
def test_a_stream_means_the_same_however_it_is_written(stream: tuple[Any, list[Json], str]) -> None:
    merge, payloads, text = stream
    notes: Counter[str] = Counter()
    assert streams.is_stream(text)
    assert merge(streams.chunks(text, notes)) == merge(payloads)
    assert not notes


@given(written_streams(), st.integers(0, 10_000))
@settings(max_examples=200)
def test_a_cut_stream_holds_what_came_before_the_cut(stream: tuple[Any, list[Json], str], place: int) -> None:
    _, payloads, text = stream
    notes: Counter[str] = Counter()
    found = list(streams.chunks(text[: place % len(text)], notes))
    assert found == payloads[: len(found)]
    assert notes["broken_chunk"] <= 1


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_document_over_several_data_lines_is_one(newline: str) -> None:
    notes: Counter[str] = Counter()
    stream = 'data: {"a":\ndata: [1,\ndata: 2]}\n\ndata: {"b": 3}\n\n'
    assert list(streams.chunks(stream.replace("\n", newline), notes)) == [{"a": [1, 2]}, {"b": 3}]
    assert not notes


# Points

SAFE = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)
CLEAN_TAG = SAFE.filter(lambda text: "\\" not in text)
NAMES = st.sampled_from(["a", "b_c", "deployment", "price", "title", "x9"])
FIELD = (
    SAFE
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0.0, 1e16, 1e22, 3.5e-07, 5e-324, 1.7976931348623157e308, 0.1 + 0.2])
)
TIMES = st.integers(-(2**63) + 2, 2**63 - 2)


def in_order(columns: Json) -> Json:
    return dict(sorted(columns.items()))


POINTS = st.builds(
    lambda tags, fields, time: Point(
        "analytics", dict(sorted(tags.items())), dict(sorted(fields.items())), time
    ),
    st.dictionaries(NAMES, CLEAN_TAG, min_size=1).map(in_order),
    st.dictionaries(NAMES, FIELD, min_size=1).map(in_order),
    TIMES,
)


@given(POINTS)
@settings(max_examples=1000)
def test_a_rendered_point_reads_back_as_it_was(point: Point) -> None:
    parsed = lp.parse(lineprotocol.render(point))
    assert parsed[:4] == (point.measurement, point.tags, point.fields, point.time)
    assert {name: type(value) for name, value in parsed.fields.items()} == {
        name: type(value) for name, value in point.fields.items()
    }


def other(point: Point) -> bytes:
    """The point as `influxdb_client` renders it.

    It is right for clean points only: elsewhere it leaves a newline raw in a string field, a backslash at the
    end of a tag eats the separator, an empty tag is dropped, and integers beyond 64 bits are written.
    """
    twin: Any = influxdb_client.Point(point.measurement)  # type: ignore
    for name, tag in point.tags.items():
        twin.tag(name, tag)
    for name, field in point.fields.items():
        twin.field(name, field)
    written: str = twin.time(point.time, "ns").to_line_protocol()
    return written.encode() + b"\n"


@given(POINTS)
@settings(max_examples=1000)
def test_clean_points_are_rendered_as_by_influxdb_client(point: Point) -> None:
    assert lineprotocol.render(point) == other(point)


def test_the_sample_is_rendered_as_by_influxdb_client() -> None:
    points = list(Enricher(language="off", topics="off").points(SAMPLE_LINES))
    assert [lineprotocol.render(point) for point in points] == [other(point) for point in points]


def test_the_sample_has_what_rendering_must_escape() -> None:
    """Else the comparison would say little."""
    written = b"".join(Enricher(language="off", topics="off").enrich(SAMPLE_LINES)).decode()
    for escape in (r"\ ", r"\,", r"\=", r"\\", "＼"):
        assert escape in written
    assert any(CONTROL.search(line.decode()[:-1]) for line in SAMPLE_LINES)


@pytest.mark.parametrize(
    "text",
    [
        "a b=1",
        "a b=1 5",
        "a,b= c=1 5\n",
        "a,b=x\\ c=1 5\n",
        "a,b=x\\\\ c=1 5\n",
        'a,b=x c="x\ny" 5\n',
        'a,b=x c="x\ty" 5\n',
        'a,b=x c="x\\y" 5\n',
        "a,b=x c=9223372036854775808i 5\n",
        "a,b=x c=inf 5\n",
        "a,b=x c=1e999 5\n",
        "a,b=x c=nan 5\n",
        "a,b=x c=1,b=2 5\n",
        "a,c=x,b=x d=1 5\n",
        "a,b=x,b=x d=1 5\n",
        "a,b=x c=1 5 \n",
        "a,b=x c=1 5\n\n",
        "a,b=x  c=1 5\n",
        "a,b=x c=1 9223372036854775808\n",
        "a,b=x c= 5\n",
        "a,b=x 5\n",
    ],
)
def test_the_parser_of_these_tests_refuses(text: str) -> None:
    with pytest.raises(lp.NotLineProtocol):
        lp.parse(text.encode())
