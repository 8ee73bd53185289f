"""A real InfluxDB (1.x) judges the lines: it takes every one, and no two of them collide."""

from collections import Counter
from typing import Any

import pytest

from tests import lp, readme
from tests.dialcore import Generator
from tests.influxd import Influx
from tests.support import PLAIN, SAMPLE, TOTALS, changed, line, log, run, through

COUNTED = {"rate_analytics": "like_count"}
"""A field that every point of a measurement has; elsewhere the chat's id."""


def counts(influx: Influx, database: str) -> dict[str, int]:
    """Points by measurement."""
    found = {}
    for measurement in influx.measurements(database):
        (row,) = influx.query(
            database, f'SELECT count("{COUNTED.get(measurement, "chat_id")}") FROM "{measurement}"'
        )
        found[measurement] = row["count"]
    return found


def sums(influx: Influx, database: str) -> list[dict[str, Any]]:
    fields = ("prompt_tokens", "completion_tokens", "price", "deployment_price", "number_request_messages")
    columns = ",".join(f'sum("{field}") AS "{field}"' for field in fields)
    return influx.query(database, f"SELECT {columns} FROM /.*/")


def test_every_point_of_the_sample_is_stored_and_a_replay_changes_nothing(influx: Influx) -> None:
    database = influx.database("sample")
    done = run(*PLAIN, "--summary", "always", stdin=SAMPLE.read_bytes())
    influx.write(database, done.out)
    first = counts(influx, database), sums(influx, database)
    assert first[0] == TOTALS["points"]
    assert f"points={sum(first[0].values())} " in done.err
    assert sum(row["prompt_tokens"] or 0 for row in first[1]) == TOTALS["prompt_tokens"]
    assert sum(row["deployment_price"] or 0 for row in first[1]) == pytest.approx(
        float(TOTALS["deployment_price"])
    )
    influx.write(database, run(*PLAIN, stdin=SAMPLE.read_bytes()).out)
    assert (counts(influx, database), sums(influx, database)) == first


@pytest.mark.parametrize("statement", [line for block in readme.blocks("sql") for line in block.splitlines()])
def test_the_queries_of_the_readme_give_the_totals(influx: Influx, statement: str) -> None:
    database = influx.database("readme")
    influx.write(database, run(*PLAIN, stdin=SAMPLE.read_bytes()).out)
    found = sum(row["sum"] for row in influx.query(database, statement))
    assert found == pytest.approx(float(TOTALS["root_price"]))


@pytest.mark.parametrize(("seed", "lines", "shape"), [(21, 6000, "sample"), (22, 300, "production")])
def test_a_bulk_of_points_is_stored_whole(influx: Influx, seed: int, lines: int, shape: str) -> None:
    database = influx.database(f"bulk_{shape}")
    generator = Generator(seed, shape)
    data = b"".join(generator.lines(lines))
    assert shape != "sample" or generator.totals.traps["burst"] > 0
    influx.write(database, run(*PLAIN, "--summary", "never", "--log-level", "error", stdin=data).out)
    assert counts(influx, database) == generator.totals.points


TEXTS = [
    "a\\",
    "\\",
    "a\\\\",
    "a\\,b",
    "a,b=c d",
    " leading and trailing ",
    ",",
    "=",
    '"',
    '"quoted"',
    'a\\"b',
    "'",
    "line\nline",
    "\n",
    "tab\ttab",
    "carriage\r\nreturn",
    "NUL\0NUL",
    "\x1b[1m\x7f\x85",
    "😀",
    "\u2028\u2029\u00a0\ufeff",
    "İıſß漢字",
    "# no comment",
    "undefined",
    "1i",
    "$x;--",
    "/regex/",
    "x" * 65_536,
    "ü" * 40_000,
    "",
]


def stored(text: str, *, tag: bool) -> str:
    """What the rules make of a text."""
    text = "".join(" " if ord(char) < 32 or 127 <= ord(char) < 160 else char for char in text)
    if tag:
        text = text.replace("\\", "\uff3c")
    return text.encode()[: 2048 if tag else 65_536].decode(errors="ignore") or "undefined"


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_a_hostile_text_comes_back_as_it_should(influx: Influx, number: int) -> None:
    database = influx.database(f"hostile_{number}")
    text = TEXTS[number]
    record = log()
    for path in ("user.title", "user.id", "project.id", "chat.id", "trace.core_parent_span_id"):
        record = changed(record, path, text)
    done = run(*PLAIN, stdin=line(record))
    influx.write(database, done.out)
    (row,) = influx.query(database, "SELECT * FROM analytics")
    tag, field = stored(text, tag=True), stored(text, tag=False)
    assert (row["title"], row["project_id"], row["core_parent_span_id"]) == (tag, tag, tag)
    assert (row["user_hash"], row["chat_id"]) == (field, field)
    assert (row["deployment"], row["prompt_tokens"], row["price"]) == ("gpt", 22, 0.5)
    assert row["time"] == lp.parse(done.out).time


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (0, 0),
        (2**53 + 1, 2**53 + 1),
        (2**63 - 1, 2**63 - 1),
        (2**63, 2**63 - 1),
        (2**64, 2**63 - 1),
        (1e299, 2**63 - 1),
        (-(2**63), 0),
    ],
)
def test_integers_at_their_bounds(influx: Influx, tokens: float, expected: int) -> None:
    database = influx.database(f"integer_{abs(int(tokens)) % 10**20}_{tokens > 0}")
    record = changed(log(), "token_usage.prompt_tokens", tokens)
    influx.write(database, through(line(record)).out)
    (row,) = influx.query(database, "SELECT prompt_tokens FROM analytics")
    assert row["prompt_tokens"] == expected


@pytest.mark.parametrize("price", ["0", "1e-30", "5e-324", "1e22", "9.9e299", "0.1", "123456789.123456789"])
def test_prices_at_their_bounds(influx: Influx, price: str) -> None:
    database = influx.database(f"price_{price}")
    record = changed(log(), "token_usage.price", price)
    influx.write(database, through(line(record)).out)
    (row,) = influx.query(database, "SELECT price FROM analytics")
    assert row["price"] == float(price)


@pytest.mark.parametrize("time", ["1678-01-01T00:00:00", "1969-12-31T23:59:59.999", "2262-04-11T00:00:00"])
def test_times_at_their_bounds(influx: Influx, time: str) -> None:
    database = influx.database(f"time_{time[:4]}")
    done = through(line(changed(log(), "request.time", time)))
    influx.write(database, done.out)
    (row,) = influx.query(database, "SELECT price FROM analytics WHERE time > -9223372036854775806")
    assert row["time"] == lp.parse(done.out).time


def test_a_burst_of_one_millisecond_keeps_every_point(influx: Influx) -> None:
    """Requests that differ in nothing but their span, in every measurement whose tags do not tell it."""
    database = influx.database("burst")
    uris = (
        "/openai/v1/responses",
        "/anthropic/v1/messages",
        "/v1/toolset/x/mcp",
        "/v1/deployments/x/route/y",
    )
    records = [changed(log(uri), "trace.core_span_id", f"{n:016x}") for uri in uris for n in range(500)]
    failed = [
        changed(changed(log(), "trace.core_span_id", f"{n:016x}"), "response.status", "429")
        for n in range(500)
    ]
    out = through(b"".join(map(line, records + failed))).out
    influx.write(database, out)
    expected = Counter(point.measurement for point in lp.parse_all(out))
    assert set(expected.values()) == {500}
    lost = {name: expected[name] - count for name, count in counts(influx, database).items()}
    assert all(share <= 1 for share in lost.values()), (
        lost
    )  # offsets of a millisecond's million collide seldom


def test_a_field_that_changes_its_type_would_be_refused(influx: Influx) -> None:
    """So that the tests above can fail."""
    database = influx.database("conflict")
    point = through(line(log())).out
    influx.write(database, point)
    for wrong in (point.replace(b"prompt_tokens=22i", b"prompt_tokens=22"), b"analytics,a=\\ b=1 1\n"):
        with pytest.raises(pytest.fail.Exception, match="refused"):
            influx.write(database, wrong)
