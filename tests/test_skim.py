"""A stream that Core assembled is left out of its line, and nothing else ever is."""

import json
from itertools import product
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dial_enricher import bodies, jsontext, logformat, streams
from dial_enricher.event import Event, Line, Log
from dial_enricher.skim import skimmed
from tests.support import SAMPLE_LINES, Json, log, through

STREAM = 'data: {"id":"a","choices":[{"index":0,"delta":{"content":"Say \\"hi\\""}}]}\n\ndata: [DONE]\n\n'
ASSEMBLED = '{"id":"a","choices":[{"index":0,"message":{"content":"Say \\"hi\\""}}]}'


def record(**changes: Any) -> Json:
    """A log as Core orders it: the response comes last, and its body last in it."""
    document = log()
    document.pop("response")
    response = {"status": "200", "upstream_uri": "http://up", "body": STREAM}
    return {**document, "assembled_response": ASSEMBLED, "response": response, **changes}


def line(document: Json) -> bytes:
    return orjson.dumps(document)


def event(raw: bytes) -> Event:
    (found,) = logformat.decode(Line(raw, "log", 1))
    return found


def read_log(raw: bytes) -> Log:
    found = event(raw).log
    assert found is not None
    return found


def test_the_stream_is_left_out_and_the_rest_is_there() -> None:
    document = record()
    found = read_log(line(document))
    assert found.is_skimmed
    assert found.data == {**document, "response": {**document["response"], "body": ""}}
    assert found.line == line(document)


def test_who_needs_the_stream_gets_it() -> None:
    found = read_log(line(record(assembled_response="{broken")))
    assert found.is_skimmed
    assert bodies.response_document(found, streams.merge_chat) == {
        "id": "a",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": 'Say "hi"'}, "finish_reason": None}
        ],
    }


def test_a_stream_that_is_no_text_after_all_costs_the_stream_only() -> None:
    raw = line(record(assembled_response="{broken")).replace(b"[DONE]", b"\xff\xfe")
    found = read_log(raw)
    assert bodies.response_document(found, streams.merge_chat) is None
    assert found.notes["broken_body"] == 2


def test_bytes_in_a_stream_that_nobody_needs_cost_nothing() -> None:
    raw = line(record()).replace(b"[DONE]", b"\xff\x01")
    assert event(raw).fault is None
    assert through(raw).out == through(line(record())).out


USER = {"id": "u", "title": 'a \\"quoted\\" title'}
OTHERWISE: dict[str, Json] = {
    "no assembled answer": record(assembled_response=""),
    "assembled answer of another kind": record(assembled_response="x"),
    "no stream": record(response={"status": "200", "body": '{"id":"a"}\n'}),
    "body first": record(response={"body": STREAM, "status": "200"}),
    "body in the middle": record(response={"status": "200", "body": STREAM, "upstream_uri": "http://up"}),
    "something behind the response": {**record(), "claims": USER},
    "text with a quote and a line's end behind the response": {**record(), "zone": {"x": 'a "b"\n'}},
    "text behind the response": {**record(), "zone": "x"},
    "status as no number": record(response={"status": "2000", "upstream_uri": "u", "body": STREAM}),
    "a strange member before the body": record(response={"status": "200", "x": [1], "body": STREAM}),
    "no end of a line": record(response={"status": "200", "upstream_uri": "u", "body": STREAM.rstrip()}),
}


@pytest.mark.parametrize("name", OTHERWISE)
def test_a_line_that_looks_otherwise_is_decoded_as_it_is(name: str) -> None:
    raw = line(OTHERWISE[name])
    assert skimmed(raw) is None
    assert read_log(raw).data == OTHERWISE[name]


def test_what_a_shipper_adds_deeper_does_not_hide_the_rest() -> None:
    inner = record()
    raw = b'{"outer":{"a":1,' + line(inner)[1:] + b',"request":{"uri":"/v1/x/rate"},"user":{"id":"me"}}'
    assert json.loads(raw)["user"] == {"id": "me"}
    assert read_log(raw).data == json.loads(raw)


def test_a_line_without_an_address_is_dead_as_any_other() -> None:
    whole = record()
    requests: list[Any] = [{}, {"uri": ""}, {"uri": 5}, None, []]
    for request in requests:
        raw = line({**whole, "request": request})
        fault = event(raw).fault
        assert fault is not None
        assert fault == event(raw.replace(b"data:", b"dada:")).fault


TEXT = st.text(st.sampled_from('ab"\\\n{}[]:, \u00e9\u4e00') | st.characters(), max_size=30)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXT | st.just(STREAM),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["body", "response", "x"]), inner)
    ),
    max_leaves=8,
)
RESPONSE = st.fixed_dictionaries(
    {"status": st.sampled_from(["200", 200, "500"])},
    optional={"upstream_uri": TEXT | st.none(), "x": VALUE},
).flatmap(lambda head: (TEXT | st.just(STREAM)).map(lambda body: {**head, "body": body}))
DOCUMENT = st.builds(
    lambda before, response, after: {**before, "response": response, **after},
    st.fixed_dictionaries(
        {"assembled_response": st.just(ASSEMBLED) | TEXT}, optional={"chat": VALUE, "headers": VALUE}
    ),
    RESPONSE,
    st.dictionaries(st.sampled_from(["user", "zone", "kubernetes"]), VALUE, max_size=2),
)


@given(DOCUMENT)
def test_whatever_is_left_out_is_the_body_and_nothing_else(document: Json) -> None:
    try:
        raw = jsontext.dumps(document)
    except UnicodeEncodeError:
        return
    rest = skimmed(raw)
    if rest is not None:
        without = {**document, "response": {**document["response"], "body": ""}}
        assert jsontext.loads(rest) == without


def test_lines_that_were_torn_or_glued_together_are_damaged_as_ever() -> None:
    streamed = [raw.rstrip(b"\n") for raw in SAMPLE_LINES if skimmed(raw.rstrip(b"\n")) is not None][:12]
    others = [raw.rstrip(b"\n") for raw in SAMPLE_LINES[::17]]
    checked = 0
    for first, second in product(streamed, streamed + others):
        for part in (len(first), len(first) // 3, len(first) - len(first) // 7, len(first) - 2):
            raw = first[:part] + second
            if not _is_json(raw):
                assert event(raw).fault is not None
                checked += 1
    assert checked > 500


def _is_json(raw: bytes) -> bool:
    try:
        jsontext.loads(raw)
    except ValueError:
        return False
    return True


def test_the_sample_has_such_lines() -> None:
    cut = [raw for raw in SAMPLE_LINES if skimmed(raw.rstrip(b"\n")) is not None]
    assert len(cut) > len(SAMPLE_LINES) // 4
