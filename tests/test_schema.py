"""The schema is told in three places - the module, the command, the points - and told alike."""

import json
import re

import pytest

from dial_enricher.schema import COLUMNS, MEASUREMENTS, Kind, Measurement
from tests import lp
from tests.support import SAMPLE, Json, run, through

PYTHON_TYPE: dict[Kind, type] = {Kind.STRING: str, Kind.INTEGER: int, Kind.FLOAT: float}
POINTS = lp.parse_all(through(SAMPLE.read_bytes()).out)
EACH = pytest.mark.parametrize("measurement", MEASUREMENTS.values(), ids=MEASUREMENTS)


def described() -> dict[str, Json]:
    done = run("schema", "--format", "json")
    assert (done.code, done.err) == (0, "")
    result: dict[str, Json] = json.loads(done.out)
    return result


def test_json_tells_the_schema() -> None:
    assert described() == {
        name: {
            "doc": measurement.doc,
            "tags": {tag: {"doc": COLUMNS[tag].doc} for tag in measurement.tags},
            "fields": {
                field: {
                    "type": COLUMNS[field].kind.value,
                    "always": field not in measurement.sparse,
                    "doc": COLUMNS[field].doc,
                }
                for field in measurement.fields
            },
        }
        for name, measurement in MEASUREMENTS.items()
    }


def test_markdown_tells_the_same_as_json() -> None:
    done = run("schema")
    assert (done.code, done.err) == (0, "")
    assert done.out == run("schema", "--format", "markdown").out
    told: dict[str, Json] = {}
    for heading, section in re.findall(r"### `(\w+)`\n(.*?)(?=\n### |\Z)", done.out.decode(), re.DOTALL):
        rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in section.splitlines() if "|" in row]
        assert rows[:2] == [["column", "kind", "type", "meaning"], ["---"] * 4]
        told[heading] = {"tags": {}, "fields": {}}
        for column, kind, typed, doc in rows[2:]:
            name = column.strip("`")
            if kind == "tag":
                assert typed == "string"
                told[heading]["tags"][name] = {"doc": doc}
            else:
                always = {"field": True, "field, if known": False}[kind]
                told[heading]["fields"][name] = {"type": typed, "always": always, "doc": doc}
        assert f"{MEASUREMENTS[heading].doc}." in section
    assert told == {
        name: {key: told[key] for key in ("tags", "fields")} for name, told in described().items()
    }


@EACH
def test_the_schema_is_in_order(measurement: Measurement) -> None:
    assert list(measurement.tags) == sorted(set(measurement.tags))
    assert list(measurement.fields) == sorted(set(measurement.fields))
    assert not set(measurement.tags) & set(measurement.fields)
    assert measurement.sparse < set(measurement.fields)
    assert {COLUMNS[tag].kind for tag in measurement.tags} == {Kind.STRING}


def test_every_column_is_used_and_explained() -> None:
    used = {name for measurement in MEASUREMENTS.values() for name in measurement.tags + measurement.fields}
    assert used == set(COLUMNS)
    assert all(column.doc for column in COLUMNS.values())


@EACH
def test_the_points_of_the_sample_have_the_columns_of_the_schema(measurement: Measurement) -> None:
    points = [point for point in POINTS if point.measurement == measurement.name]
    assert points, "the sample shows every measurement"
    always = set(measurement.fields) - measurement.sparse
    for point in points:
        assert list(point.tags) == list(measurement.tags)
        assert always <= set(point.fields) <= set(measurement.fields)
        for name, value in point.fields.items():
            assert type(value) is PYTHON_TYPE[COLUMNS[name].kind], name


def test_the_sample_shows_every_sparse_field_there_and_not_there() -> None:
    seen = {
        (name, name in point.fields) for point in POINTS for name in MEASUREMENTS[point.measurement].sparse
    }
    assert {("operation_duration_ms", True), ("operation_duration_ms", False)} <= seen
    assert ("prompt_tokens", False) in seen


@pytest.mark.parametrize("arguments", [["--format", "xml"], ["more"], ["--nonsense"]])
def test_a_wrong_argument_of_the_command_is_refused(arguments: list[str]) -> None:
    done = run("schema", *arguments)
    assert (done.code, done.out) == (2, b"")
    assert "Error: " in done.err
