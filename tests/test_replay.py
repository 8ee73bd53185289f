"""Dead letters are read again: what died for a reason that is gone becomes the points it would have been."""

import base64
import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dial_enricher import logformat, replay
from dial_enricher.errors import Code
from dial_enricher.event import Event, Excess, Line
from tests.letters import SOURCE, ended
from tests.mutations import NOISE, damaged, swapped
from tests.support import GOOD_LINES, SAMPLE_LINES, Json, changed, line, log

ONE = line(log())
MCP = line(log("/v1/toolset/gpt/mcp", [{"method": "a,b=c d"}, {"method": "tools/list"}]))
RATING = line(log("/v1/gpt/rate", {"rate": True, "responseId": 'a"\\b'}))
GOOD = ONE + MCP + RATING + b"".join(GOOD_LINES[:200])
POINTS = ended(GOOD).out
LOST = ended(GOOD, reachable=False)
KEPT = ended(GOOD, reachable=False, with_content=True)
LETTERS = st.lists(st.one_of(damaged(), swapped(), st.binary(max_size=200), NOISE), max_size=4)
DIGEST = "0" * 64


def replayed(dead: bytes, *, reachable: bool = True, with_content: bool = False) -> Any:
    return ended(dead, decode=replay.decode, reachable=reachable, with_content=with_content)


def decoded(letter: Any, number: int = 9) -> Event:
    """The only event of a letter."""
    raw = letter if isinstance(letter, bytes) else json.dumps(letter).encode()
    (event,) = replay.decode(Line(raw, "dead.jsonl", number))
    return event


def letter(**more: Any) -> Json:
    return {"code": "invalid_json", "sha256": DIGEST, "source": SOURCE, "line": 3, "length": 20} | more


def fault(event: Event) -> tuple[str, str, str]:
    assert event.fault is not None
    return event.fault.code.value, event.fault.stage, event.fault.detail


# There and back


def test_what_could_not_be_delivered_is_written_without_its_records() -> None:
    assert LOST.stats.dead == {Code.UNDELIVERED: ended(GOOD).stats.written}
    assert b'"content' not in LOST.dead
    again = replayed(LOST.dead)
    assert again.out == POINTS
    assert again.stats.points == ended(GOOD).stats.points
    assert not again.stats.dead


def test_what_could_not_be_delivered_is_written_with_its_records_too() -> None:
    again = replayed(KEPT.dead)
    assert again.out == POINTS
    assert again.stats.points == ended(GOOD).stats.points


@pytest.mark.parametrize("with_content", [False, True])
def test_what_can_not_be_delivered_once_more_leaves_the_same_letters(with_content: bool) -> None:
    """A letter of points alone knows no bytes, and does not claim that the record was empty."""
    first = KEPT if with_content else LOST
    again = replayed(first.dead, reachable=False, with_content=with_content)
    assert again.letters == first.letters
    assert replayed(again.dead).out == POINTS


def test_a_letter_of_points_alone_makes_no_content_of_nothing() -> None:
    again = replayed(LOST.dead, reachable=False, with_content=True)
    assert again.letters == LOST.letters
    assert replayed(again.dead).out == POINTS


@given(LETTERS.map(b"\n".join))
@example(b'{"message":"{\\"request\\":1}","x":1}\n\xff\xfe\n\xef\xbb\xbf{}\n[1,{"log":"[2]"}]')
@settings(max_examples=400)
def test_what_dies_of_itself_dies_of_it_again(data: bytes) -> None:
    """The letter of a replay is the first letter: the same record, the same place, the same reason."""
    first = ended(data, with_content=True)
    for number, (raw, told) in enumerate(zip(first.dead.splitlines(), first.letters, strict=True), 1):
        line = Line(raw, "dead.jsonl", number)
        content = base64.b64decode(told["content_base64"]) if "content_base64" in told else None
        origin = Line(content or told["content"].encode(), told["source"], told["line"])
        assert replay.decode(line) == logformat.decode(origin)
    again = replayed(first.dead, with_content=True)
    assert again.letters == first.letters
    assert again.out == b""


@given(LETTERS.map(b"\n".join))
@settings(max_examples=400)
def test_what_was_undelivered_becomes_what_it_was(data: bytes) -> None:
    good = ended(data)
    for with_content in (False, True):
        lost = ended(data, reachable=False, with_content=with_content)
        undelivered = [raw for raw in lost.dead.splitlines() if b'"code":"undelivered"' in raw]
        assert replayed(b"\n".join(undelivered)).out == good.out


@given(st.one_of(st.binary(max_size=100), st.lists(NOISE).map(b"".join)))
@settings(max_examples=300)
def test_any_line_that_is_no_letter_is_dead_where_it_stands(raw: bytes) -> None:
    (event,) = replay.decode(Line(raw, "dead.jsonl", 7))
    assert not event.live
    assert (event.raw, event.line) == (raw, Line(raw, "dead.jsonl", 7))


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)
NAMES = ("code", "source", "line", "length", "content", "content_base64", "points")


@given(st.dictionaries(st.sampled_from(NAMES), ANY_JSON))
@settings(max_examples=500)
def test_a_letter_of_any_values_comes_to_an_end(values: Json) -> None:
    raw = json.dumps(letter(**values)).encode()
    outcome = replayed(raw, with_content=True)
    assert outcome.stats.dead.total() == 1
    assert Code.INTERNAL not in outcome.stats.dead


# Records


def test_a_record_is_named_by_the_place_where_it_was_read() -> None:
    event = decoded(letter(content='{"a":1}'))
    assert event.line == Line(b'{"a":1}', SOURCE, 3)
    assert event.raw == b'{"a":1}'
    assert fault(event)[:2] == ("not_a_dial_log", "decode")


@pytest.mark.parametrize(
    "wrong", [{"source": 5}, {"source": "a\nERROR b"}, {"source": None}, {"line": "3"}, {"line": True}]
)
def test_a_letter_that_does_not_tell_the_place_is_named_by_its_own(wrong: Json) -> None:
    event = decoded(letter(content="{", **wrong))
    assert (event.line.source, event.line.number) == ("dead.jsonl", 9)


def test_a_record_that_was_mended_is_read_though_its_digest_is_another() -> None:
    first = ended(ONE.replace(b'"time"', b'"tame"'), with_content=True)
    mended = first.dead.replace(rb"\"tame\"", rb"\"time\"")
    assert first.out == b"" and first.letters[0]["code"] == "missing_field"
    assert replayed(mended).out == ended(ONE).out


def test_a_letter_that_holds_several_records_is_all_of_them() -> None:
    events = replay.decode(Line(json.dumps(letter(content="[{}, 5]")).encode(), "dead.jsonl", 1))
    assert [event.raw for event in events] == [b"{}", b"5"]


def test_a_lone_surrogate_that_somebody_wrote_into_a_letter_loses_that_record_only() -> None:
    event = decoded(json.dumps(letter(content="{\ud83d}")).encode())
    assert fault(event)[0] == "invalid_utf8"


@pytest.mark.parametrize("kept", [{"content": "{"}, {"content_base64": "/w=="}])
def test_of_a_line_that_was_too_long_only_the_head_is_there(kept: Json) -> None:
    event = decoded(letter(code="line_too_long", **kept))
    assert fault(event) == ("line_too_long", "replay", "only the head of its 20 bytes was kept")
    assert event.line.excess == Excess(20, DIGEST)
    assert event.raw in (b"{", b"\xff")


def test_a_line_that_was_too_long_and_is_whole_is_read() -> None:
    raw = ONE[:-1].decode()
    assert decoded(letter(code="line_too_long", length=len(raw), content=raw)).live


def test_a_letter_without_record_and_points_is_dead_and_says_why() -> None:
    event = decoded(letter(record={"title": "Engineer"}))
    assert fault(event) == (
        "missing_field",
        "replay",
        "the letter was written without --dead-letter-content",
    )
    assert event.line == Line(b"", SOURCE, 3, Excess(20, DIGEST))


# Points


def test_points_are_an_event_that_is_rendered_already() -> None:
    first, second = POINTS.splitlines(keepends=True)[1:3]
    event = decoded(letter(points=[first[:-1].decode(), second[:-1].decode()]))
    assert event.output == [first, second]
    assert event.measurements == ["mcp_analytics"] * 2
    assert (event.log, event.exchange, event.live) == (None, None, True)
    assert (event.raw, event.line) == (b"", Line(b"", SOURCE, 3, Excess(20, DIGEST)))


FINE = 'mcp_analytics,deployment=a\\ b f=1i,g="x, \\" y=1",h=0.5 1'


@pytest.mark.parametrize(
    "point", [FINE, "routes_analytics f=1i -1", 'analytics,a=\\,\\=\\  f="" 1', "analytics,a=b f=1e+22 0"]
)
def test_a_point_of_ours_is_known(point: str) -> None:
    assert decoded(letter(points=[point])).output == [f"{point}\n".encode()]


def test_every_point_of_the_sample_is_known() -> None:
    points = ended(b"".join(SAMPLE_LINES)).out.decode().splitlines()
    assert decoded(letter(points=points)).measurements == [one.partition(",")[0] for one in points]


@pytest.mark.parametrize(
    "point",
    [
        *(5, None, [FINE], "", "x"),
        *(f"{FINE}\n", f"{FINE}\n{FINE}", FINE.replace("x", "\x7f"), FINE.replace("x", "\ud83d")),
        *("stranger,a=b f=1i 1", "analyticss,a=b f=1i 1", "analytics\\,a=b f=1i 1", " " + FINE),
        *("analytics,a=b f=1i", "analytics,a=b 1", "analytics,a=b f=1i now", "analytics,a f=1i 1"),
        *("analytics,a= f=1i 1", "analytics,a=b f= 1", 'analytics,a=b f="x 1', 'analytics,a=b f="x\\" 1'),
        *("analytics,a=b  1", "analytics,a=b c f=1i 1", "analytics,a=b f=1i 1 1", "analytics,a=b f=1i, 1"),
        "analytics,a=b f=1i 12345678901234567890",
    ],
)
def test_garbage_does_not_become_a_point(point: Any) -> None:
    event = decoded(letter(points=[FINE, point]))
    assert fault(event)[:2] == ("not_a_dial_log", "replay")
    assert not event.output
    assert (event.line.source, event.line.number) == ("dead.jsonl", 9)


def test_points_go_before_the_record() -> None:
    """They may be stored already: made anew under other settings they would be others, and count twice."""
    point = "rate_analytics,deployment=old like_count=1i 1"
    event = decoded(letter(content=ONE[:-1].decode(), points=[point]))
    assert (event.log, event.output, event.raw) == (None, [point.encode() + b"\n"], ONE[:-1])


# Lines that are no letters


@pytest.mark.parametrize("raw", [b"", b"  \r", b"\0\0\0"])
def test_blank_lines_are_ignored(raw: bytes) -> None:
    assert decoded(raw).ignored == logformat.BLANK


def test_a_letter_behind_what_a_crash_left_is_read() -> None:
    assert replayed(b"\0" * 512 + LOST.dead).out == POINTS


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{", "invalid_json"),
        (b"\xff", "invalid_utf8"),
        (b"5", "not_a_dial_log"),
        (b"[]", "not_a_dial_log"),
        (b'{"code":"x"}', "not_a_dial_log"),
        (b'{"sha256":"x"}', "not_a_dial_log"),
        (b'{"code":"x","sha256":5,"content":"{"}', "not_a_dial_log"),
        (b'{"code":"x","sha256":"5","content":"{"}', "not_a_dial_log"),
        (ONE, "not_a_dial_log"),
        (json.dumps(letter(content=5)).encode(), "not_a_dial_log"),
        (json.dumps(letter(content_base64="x")).encode(), "not_a_dial_log"),
        (json.dumps(letter(content_base64="é")).encode(), "not_a_dial_log"),
        (json.dumps(letter(content_base64="/w?==")).encode(), "not_a_dial_log"),
        (json.dumps(letter(content_base64=[1])).encode(), "not_a_dial_log"),
        (json.dumps(letter(points={"a": 1})).encode(), "not_a_dial_log"),
    ],
)
def test_a_line_that_is_no_letter_is_dead(raw: bytes, code: str) -> None:
    event = decoded(raw)
    assert fault(event)[:2] == (code, "replay")
    assert event.raw == event.line.raw == raw


def test_half_a_letter_and_the_letter_behind_it() -> None:
    again = replayed(LOST.dead[:100] + b"\n" + LOST.dead)
    assert again.out == POINTS
    assert again.stats.dead == {Code.INVALID_JSON: 1}


def test_a_letter_that_is_longer_than_allowed_is_dead() -> None:
    raw = json.dumps(letter(content="x" * 100)).encode()
    cut = Line(raw[:50], "dead.jsonl", 1, Excess(len(raw), sha256(raw).hexdigest()))
    (event,) = replay.decode(cut)
    assert fault(event)[0] == "line_too_long"
    assert event.line == cut


def test_a_changed_record_is_another_point() -> None:
    """The comparison of points above can fail."""
    other = ended(line(changed(log(), "user.title", "Other")), reachable=False)
    assert replayed(other.dead).out != ended(ONE).out
