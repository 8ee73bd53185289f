"""Whatever comes in, the accounts close, nothing is `internal`, and what goes out is line protocol."""

import json
import re
from dataclasses import replace
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dial_enricher.errors import Code
from dial_enricher.rates import Rates, Unit, parse_rates
from dial_enricher.settings import Format
from tests import lp
from tests.dialcore.world import APPLICATIONS, CHAT_MODELS
from tests.mutations import MARKS, RAW, damaged, swapped
from tests.support import PLAIN, PLAIN_SETTINGS, SAMPLE_LINES, Outcome, changed, line, log, run, through

TOKENS = [
    b"null",
    b"1",
    b"-",
    b"\xef\xbb\xbf",
    b"\xff",
    b"data: ",
    b">>",
    b'{"request":',
    b'"message":',
    b'"log":"',
]
FRAGMENTS = st.sampled_from([*MARKS, *TOKENS, b'"uri":"/v1/x/rate"', line(log()), line(log())[:-1]])
ANY_BYTES = st.one_of(st.binary(max_size=300), st.lists(FRAGMENTS, max_size=30).map(b"".join))


def count_lines(data: bytes) -> int:
    return data.count(b"\n") + (not data.endswith(b"\n") and data != b"")


def check(data: bytes, outcome: Outcome) -> None:
    """Every line has one fate, and none of them is a bug."""
    stats = outcome.stats
    assert stats.lines == count_lines(data)
    assert stats.records >= stats.lines
    assert stats.records == stats.written + stats.ignored.total() + stats.dead.total()
    assert stats.dead.total() == len(outcome.faults)
    assert [fault for fault in outcome.faults if fault.code is Code.INTERNAL] == []
    assert stats.written <= stats.points.total() == len(lp.parse_all(outcome.out))


@given(ANY_BYTES)
@settings(max_examples=1000)
def test_any_bytes_come_to_an_end(data: bytes) -> None:
    check(data, through(data))


@given(st.lists(damaged(), min_size=1, max_size=4).map(b"".join))
@settings(max_examples=3000)
def test_damaged_lines_come_to_an_end(data: bytes) -> None:
    check(data, through(data))


@given(st.lists(swapped(), min_size=1, max_size=3).map(b"".join))
@settings(max_examples=3000)
def test_values_of_any_type_come_to_an_end(data: bytes) -> None:
    check(data, through(data))


def rated(unit: Unit, prompt_price: str, completion_price: str, *names: str) -> Rates:
    """The same rate for several models, as an operator may set it."""
    rate = {"unit": unit, "prompt_price": prompt_price, "completion_price": completion_price}
    return parse_rates(json.dumps(dict.fromkeys(names, rate)), "a test")


MODELS = [model.deployment for model in CHAT_MODELS]
RATED = replace(
    PLAIN_SETTINGS,
    rates={
        **rated(Unit.TOKEN, "9.9e99", "7", *MODELS, "claude-sonnet-4"),
        **rated(Unit.CHARACTER, "1e-300", "9.9e99", *APPLICATIONS, "x"),
    },
)


@given(st.lists(swapped(), min_size=1, max_size=3).map(b"".join))
@settings(max_examples=800)
def test_rates_of_any_size_come_to_an_end(data: bytes) -> None:
    check(data, through(data, RATED))


@pytest.mark.parametrize("tokens", [0, 1, 2.5, 1e299, "9" * 300])
@pytest.mark.parametrize("price", ["0", "1e-999", "1e20", "9.9e99"])
def test_a_price_is_finite(price: str, tokens: float | str) -> None:
    settings = replace(PLAIN_SETTINGS, rates=rated(Unit.TOKEN, price, price, "gpt"))
    data = line(changed(log(), "token_usage", {"prompt_tokens": tokens, "completion_tokens": 1}))
    outcome = through(data, settings)
    check(data, outcome)
    assert len(outcome.lines) == 1


@pytest.mark.parametrize("mark", RAW)
@pytest.mark.parametrize(
    "template",
    [
        b'%s',
        b'{"request":{"uri":"/v1/x/rate","time":"2026-03-02","body":%s}}',
        b'{"message":%s}',
        b'{"message":{"request":{"uri":"/v1/x/rate","time":"2026-03-02"},"x":%s}}',
        b'[{"request":{"uri":"/v1/x/rate","time":"2026-03-02"},"x":%s},1]',
        b'[{"log":{"exec":%s}},{"log":{"exec":%s}}]',
    ],
)  # fmt: skip
def test_json_at_its_limits_comes_to_an_end(mark: str, template: bytes) -> None:
    data = template.replace(b"%s", RAW[mark].encode()) + b"\n"
    check(data, through(data))


@given(st.lists(st.one_of(damaged(), swapped(), ANY_BYTES), min_size=20, max_size=40).map(b"".join))
@settings(max_examples=12)
def test_the_real_program_ends_well(data: bytes) -> None:
    done = run(*PLAIN, "--summary", "always", "--log-level", "debug", stdin=data)
    assert done.code == 0
    assert "Traceback" not in done.err
    assert "internal" not in done.err
    told = dict(pair.split("=") for pair in done.err.splitlines()[-1].split(" INFO ")[1].split())
    figures = {name: int(figure) for name, figure in told.items()}
    assert figures["lines"] == count_lines(data)
    assert figures["points"] == len(lp.parse_all(done.out))


SPOILED = b"".join([*SAMPLE_LINES[:40], b'\n\r\n{"a"\n\xff\n', *SAMPLE_LINES[40:], SAMPLE_LINES[7][:-1]])


@pytest.fixture(scope="module")
def whole() -> Outcome:
    outcome = through(SPOILED)
    check(SPOILED, outcome)
    return outcome


@pytest.mark.parametrize("batch_lines", [1, 7, 1000])
@pytest.mark.parametrize("batch_bytes", [1, 5000, 1 << 30])
@pytest.mark.parametrize("chunk", [1 << 20, 4099, 61])
def test_batches_and_chunks_do_not_show(
    whole: Outcome, batch_lines: int, batch_bytes: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dial_enricher.inputs.reader._CHUNK_BYTES", chunk)
    outcome = through(SPOILED, replace(PLAIN_SETTINGS, batch_lines=batch_lines), batch_bytes=batch_bytes)
    assert outcome.out == whole.out
    assert outcome.stats == whole.stats


def test_reading_byte_by_byte_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"".join(SAMPLE_LINES[:30]) + b"\r\n\xff\n{"
    expected = through(data)
    monkeypatch.setattr("dial_enricher.inputs.reader._CHUNK_BYTES", 1)
    assert through(data) == expected


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_lines_changes_no_point(whole: Outcome, seed: int) -> None:
    lines = SPOILED.split(b"\n")
    Random(seed).shuffle(lines)
    outcome = through(b"\n".join(lines))
    assert outcome.lines != whole.lines
    assert sorted(outcome.lines) == sorted(whole.lines)


def test_a_log_read_twice_gives_its_points_twice(whole: Outcome) -> None:
    assert through(SPOILED + b"\n" + SPOILED).out == whole.out * 2


def test_a_line_alone_gives_what_it_gives_among_others(whole: Outcome) -> None:
    assert b"".join(through(one).out for one in SPOILED.split(b"\n")) == whole.out


# What a point holds

TEXT = st.text(st.characters(codec=None), max_size=40)
COLUMNS_OF_TEXT = {
    "chat.id": "chat_id",
    "project.id": "project_id",
    "user.id": "user_hash",
    "user.title": "title",
    "deployment": "deployment",
    "parent_deployment": "parent_deployment",
    "trace.trace_id": "trace_id",
    "response.upstream_uri": "upstream",
}


def cleaned(value: str, tag: bool) -> str:
    """What the rules say about a text: control characters are spaces, a backslash in a tag is full-width."""
    if not value:
        return "undefined"
    text = re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", value)
    text = re.sub(r"[\ud800-\udfff]", "\ufffd", text)
    return text.replace("\\", "\uff3c") if tag else text


@given(st.dictionaries(st.sampled_from(sorted(COLUMNS_OF_TEXT)), TEXT), st.sampled_from(["gpt", "route"]))
@example({"user.title": "\\", "deployment": "a\\", "chat.id": '\\"', "user.id": "\\\\"}, "gpt")
@example({"user.title": "\n", "deployment": "\ud83d\ude00", "chat.id": "\ud83d", "user.id": "\x85"}, "gpt")
@settings(max_examples=1500)
def test_texts_come_back_clean_and_otherwise_unchanged(texts: dict[str, str], kind: str) -> None:
    uri = "/openai/deployments/gpt/chat/completions" if kind == "gpt" else "/v1/deployments/gpt/route/a"
    record = log(uri)
    for path, text in texts.items():
        record = changed(record, path, text)
    outcome = through(line(record))
    (point,) = lp.parse_all(outcome.out)
    for path, text in texts.items():
        column = COLUMNS_OF_TEXT[path]
        text = json.loads(json.dumps(text))  # two halves of a surrogate pair may have met
        expected = "gpt" if column == "deployment" and not text else text  # an empty one: the URI's
        if column in point.tags:
            assert point.tags[column] == cleaned(expected, tag=True)
        else:
            assert point.fields[column] == cleaned(expected, tag=False)


def test_json_holds_the_points_of_line_protocol() -> None:
    """A renderer of its own, so that one cannot be wrong without the other."""
    rendered = through(SPOILED, replace(PLAIN_SETTINGS, format=Format.JSON)).lines
    parsed = lp.parse_all(through(SPOILED).out)
    assert [json.loads(one) for one in rendered] == [
        {"measurement": p.measurement, "tags": p.tags, "fields": p.fields, "time": p.time} for p in parsed
    ]
