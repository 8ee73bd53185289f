"""Profiles move columns between tags and fields, and lose none; points stay apart whatever is a tag."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dial_enricher import jsonlines, lineprotocol, schema_text
from dial_enricher.endpoints import understand
from dial_enricher.errors import SettingError
from dial_enricher.event import Line, Point
from dial_enricher.logformat import decode
from dial_enricher.points import PointBuilder
from dial_enricher.profiles import Profile, profile
from dial_enricher.schema import COLUMNS, MEASUREMENTS, UNDEFINED, Kind, Measurement
from tests import lp
from tests.support import GOOD_LINES, changed, line, log
from tests.test_properties_parts import POINTS, other

LOW = "model deployment parent_deployment project_id language topic title endpoint status".split()
TEXTS = sorted(name for name, column in COLUMNS.items() if column.kind is Kind.STRING)
NUMBERS = sorted(COLUMNS.keys() - TEXTS)
URIS = {
    "analytics": "/openai/deployments/gpt/chat/completions",
    "responses_analytics": "/openai/v1/responses",
    "anthropic_messages_analytics": "/anthropic/v1/messages",
    "mcp_analytics": "/v1/toolset/x/mcp",
    "routes_analytics": "/v1/deployments/x/route/y",
    "rate_analytics": "/v1/x/rate",
    "error_analytics": "/openai/deployments/gpt/embeddings",
}
EACH = pytest.mark.parametrize("name", MEASUREMENTS)
Measurements = Mapping[str, Measurement]


def columns(measurement: Measurement) -> list[str]:
    return sorted(measurement.tags + measurement.fields)


def points(lines: Iterable[bytes], measurements: Measurements) -> Iterator[Point]:
    """The points of log lines that are all in order."""
    builder = PointBuilder(measurements)
    for raw in lines:
        for event in decode(Line(raw.removesuffix(b"\n"), "a test", 1)):
            understand(event)
            builder.build(event)
            yield from event.points


def request(name: str, span: str = "s" * 16) -> bytes:
    """A request that gives a point of a measurement."""
    record = changed(log(URIS[name]), "trace.core_span_id", span)
    return line(changed(record, "response.status", "429") if name == "error_analytics" else record)


def one(raw: bytes, measurements: Measurements) -> Point:
    (point,) = points([raw], measurements)
    return point


def series(point: Point) -> tuple[object, ...]:
    return point.measurement, *point.tags.items()


# Which columns are tags


def test_dial_is_the_schema() -> None:
    assert profile(Profile.DIAL) == MEASUREMENTS
    assert Profile("dial") is Profile.DIAL


@EACH
def test_lean_has_few_tags_and_every_column(name: str) -> None:
    dial, lean = MEASUREMENTS[name], profile(Profile.LEAN)[name]
    assert set(lean.tags) == set(dial.tags) & set(LOW)
    assert columns(lean) == columns(dial)
    assert (lean.name, lean.doc, lean.sparse) == (dial.name, dial.doc, dial.sparse)
    assert not lean.tags_identify


def test_lean_changes_every_measurement_that_has_other_tags() -> None:
    lean = profile(Profile.LEAN)
    same = {name for name in MEASUREMENTS if lean[name] == MEASUREMENTS[name]}
    assert same == {"responses_analytics", "anthropic_messages_analytics"}


@pytest.mark.parametrize("base", Profile)
@pytest.mark.parametrize("column", TEXTS)
def test_a_column_moves_wherever_a_measurement_has_it(base: Profile, column: str) -> None:
    before = profile(base)
    tagged, untagged = profile(base, tags=[column]), profile(base, no_tags=[column])
    for name, measurement in before.items():
        has = column in columns(measurement)
        assert (column in tagged[name].tags, column in untagged[name].fields) == (has, has)
        assert column not in tagged[name].fields + untagged[name].tags
        for moved in (tagged[name], untagged[name]):
            assert columns(moved) == columns(measurement)
            assert set(moved.tags) ^ set(measurement.tags) <= {column}


CHOICES = st.dictionaries(st.sampled_from(TEXTS), st.booleans())
"""Columns to move: to the tags or to the fields."""


def chosen(base: Profile, choices: Mapping[str, bool]) -> Measurements:
    return profile(
        base,
        tags=[name for name, tag in choices.items() if tag],
        no_tags=[name for name, tag in choices.items() if not tag],
    )


@given(st.sampled_from(Profile), CHOICES)
@settings(max_examples=300)
def test_any_choice_gives_a_schema_in_order_or_one_clear_sentence(
    base: Profile, choices: dict[str, bool]
) -> None:
    try:
        measurements = chosen(base, choices)
    except SettingError as error:
        assert str(error).startswith("--tag: ") and "as a field" in str(error)
        return
    assert measurements.keys() == MEASUREMENTS.keys()
    for name, measurement in measurements.items():
        assert list(measurement.tags) == sorted(measurement.tags)
        assert list(measurement.fields) == sorted(measurement.fields)
        assert columns(measurement) == columns(MEASUREMENTS[name])
        assert set(measurement.tags) <= set(TEXTS)
        assert set(measurement.fields) - measurement.sparse
        if measurement.tags_identify:
            assert MEASUREMENTS[name].tags_identify
            assert {"trace_id", "core_span_id"} <= set(measurement.tags)


# What is refused


@pytest.mark.parametrize("option", ["--tag", "--no-tag"])
def test_an_unknown_column_is_refused_with_those_that_are_possible(option: str) -> None:
    names = ["model", "modell"]
    with pytest.raises(SettingError, match=f"^{option} modell: no such column") as refusal:
        profile(Profile.DIAL, *((names, ()) if option == "--tag" else ((), names)))
    assert str(refusal.value).endswith(f"possible are {', '.join(TEXTS)}")


@pytest.mark.parametrize("column", NUMBERS)
def test_a_number_is_refused(column: str) -> None:
    with pytest.raises(SettingError, match=f"^--tag {column}: a number is always a field$"):
        profile(Profile.LEAN, tags=[column])
    with pytest.raises(SettingError, match=f"^--no-tag {column}: a number is always a field$"):
        profile(Profile.LEAN, no_tags=[column])


def test_a_column_cannot_be_both() -> None:
    with pytest.raises(SettingError, match=r"^--tag topic and --no-tag topic contradict each other$"):
        profile(Profile.DIAL, ["model", "topic"], ["topic", "title"])


@pytest.mark.parametrize("name", ["mcp_analytics", "routes_analytics"])
def test_a_point_keeps_a_field_that_is_always_written(name: str) -> None:
    """These have no number but the duration, which old logs do not tell."""
    fields = [column for column in MEASUREMENTS[name].fields if column in TEXTS]
    with pytest.raises(SettingError, match=rf"^--tag: {name} needs one of {', '.join(fields)} as a field$"):
        profile(Profile.DIAL, fields)
    for left in fields:
        if left == "mcp_tool_call_name":
            continue  # the other columns are those of routes_analytics
        measurements = profile(Profile.DIAL, [column for column in fields if column != left])
        assert set(measurements[name].fields) == {left, "operation_duration_ms"}


# Points


@EACH
def test_a_moved_column_is_a_text_that_is_always_written(name: str) -> None:
    """Also when nothing is known of it."""
    bare = json.loads(request(name))
    for key in ("chat", "project", "user", "trace", "parent_deployment", "execution_path"):
        del bare[key]
    for raw in (request(name), line(bare)):
        dial, none = one(raw, MEASUREMENTS), one(raw, profile(Profile.DIAL, no_tags=TEXTS))
        assert none.tags == {}
        assert {column: none.fields[column] for column in dial.tags} == dial.tags
        assert list(none.fields) == sorted(none.fields)
    assert none.fields["title"] == UNDEFINED


def test_a_field_becomes_a_clean_tag() -> None:
    raw = line(changed(log(), "chat.id", "a\\b\n"))
    moved = one(raw, profile(Profile.DIAL, tags=["chat_id"]))
    assert moved.tags["chat_id"] == "a＼b "
    assert "chat_id" not in moved.fields
    assert list(moved.tags) == sorted(moved.tags)
    assert one(raw, MEASUREMENTS).fields["chat_id"] == "a\\b "


@EACH
def test_requests_of_one_millisecond_and_the_same_tags_differ_in_time(name: str) -> None:
    lean = profile(Profile.LEAN)
    burst = [request(name, span=f"{number:016x}") for number in range(200)]
    found = list(points(burst, lean))
    assert len({series(point) for point in found}) == 1
    assert len({point.time for point in found}) == 200
    assert len({point.time // 1_000_000 for point in found}) == 1
    assert list(points(burst, lean)) == found, "a replay changes nothing"


@pytest.mark.parametrize("column", ["trace_id", "core_span_id"])
def test_one_part_of_the_identity_alone_keeps_nothing_apart(column: str) -> None:
    (first, second) = (request("analytics", span=span) for span in ("a" * 16, "b" * 16))
    for measurements in (profile(Profile.DIAL, no_tags=[column]), profile(Profile.LEAN, tags=[column])):
        assert one(first, measurements).time != one(second, measurements).time
    whole = profile(Profile.LEAN, tags=["trace_id", "core_span_id"])
    assert one(first, whole).time == one(second, whole).time == one(first, MEASUREMENTS).time
    assert series(one(first, whole)) != series(one(second, whole))


def test_calls_of_one_span_differ_in_time_whatever_is_a_tag() -> None:
    calls = [{"jsonrpc": "2.0", "method": "tools/list", "id": number} for number in range(50)]
    moved = profile(Profile.DIAL, tags=["trace_id", "core_span_id"])
    found = list(points([line(log(URIS["mcp_analytics"], body=calls))], moved))
    assert len(found) == len({point.time for point in found}) == 50
    assert len({series(point) for point in found}) == 1


@given(st.sampled_from(Profile), CHOICES)
@settings(max_examples=60)
def test_the_sample_keeps_its_points_apart_and_its_values_under_any_choice(
    base: Profile, choices: dict[str, bool]
) -> None:
    try:
        measurements = chosen(base, choices)
    except SettingError:
        return
    expected = list(points(GOOD_LINES, MEASUREMENTS))
    found = list(points(GOOD_LINES, measurements))
    assert len({(series(point), point.time) for point in found}) == len(set(map(repr, found)))
    assert [_values(point) for point in found] == [_values(point) for point in expected]
    for point in found:
        parsed = lp.parse(lineprotocol.render(point))
        assert parsed[:4] == (point.measurement, point.tags, point.fields, point.time)


def _values(point: Point) -> dict[str, object]:
    """Of all columns, with the backslash of a tag as that of a field."""
    values = point.tags | point.fields
    return {
        name: value.replace("＼", "\\") if isinstance(value, str) else value for name, value in values.items()
    }


# Renderers


@given(POINTS)
@settings(max_examples=500)
def test_a_point_without_tags_reads_back_as_it_was(point: Point) -> None:
    bare = replace(point, tags={})
    written = lineprotocol.render(bare)
    assert lp.parse(written)[:4] == (bare.measurement, {}, bare.fields, bare.time)
    assert written == other(bare)
    assert json.loads(jsonlines.render(bare))["tags"] == {}


def test_a_point_without_tags_is_spelled_without_a_comma() -> None:
    assert lineprotocol.render(Point("name", {}, {"field": 1.0}, 123)) == b"name field=1 123\n"


# The schema, written out


def test_the_tables_tell_the_profile() -> None:
    lean = profile(Profile.LEAN)
    told = json.loads(schema_text.json(lean))
    assert {name: (list(one["tags"]), list(one["fields"])) for name, one in told.items()} == {
        name: (list(measurement.tags), list(measurement.fields)) for name, measurement in lean.items()
    }
    assert told["analytics"]["fields"]["trace_id"]["type"] == "string"
    assert told["analytics"]["fields"]["trace_id"]["always"]
    assert "| `trace_id` | field | string |" in schema_text.markdown(lean)
    assert "| `trace_id` | tag | string |" not in schema_text.markdown(lean)
    assert schema_text.markdown(profile(Profile.DIAL)) == schema_text.markdown()
    assert schema_text.json(profile(Profile.DIAL)) == schema_text.json()
