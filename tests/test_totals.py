"""The money and the tokens add up: what the log generator spent is what the points hold."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import pytest

from dial_enricher.settings import Format, Scope, Settings
from tests import lp
from tests.dialcore import Generator
from tests.support import SAMPLE, TOTALS, Json, Outcome, through

COUNTS = (
    "prompt_tokens",
    "completion_tokens",
    "cached_prompt_tokens",
    "cache_write_prompt_tokens",
    "reasoning_completion_tokens",
    "number_request_messages",
    "like_count",
    "dislike_count",
)


def generated(seed: int, lines: int, shape: str = "sample") -> tuple[bytes, Json]:
    generator = Generator(seed, shape)
    data = b"".join(generator.lines(lines))
    totals = generator.totals
    return data, {name: getattr(totals, name) for name in totals.__slots__}


LOGS: dict[str, Callable[[], tuple[bytes, Json]]] = {
    "the sample": lambda: (SAMPLE.read_bytes(), TOTALS),
    "more of it": lambda: generated(11, 3000),
    "as in production": lambda: generated(5, 150, "production"),
}


def money(points: list[lp.Parsed], field: str) -> Decimal:
    """The sum of what is written, digit for digit."""
    return sum((Decimal(point.written[field]) for point in points if field in point.fields), Decimal(0))


def number(points: list[lp.Parsed], field: str) -> int:
    return sum(int(point.fields[field]) for point in points if field in point.fields)


@pytest.mark.parametrize("name", LOGS)
def test_the_points_hold_what_was_spent(name: str) -> None:
    data, totals = LOGS[name]()
    outcome = through(data)
    points = lp.parse_all(outcome.out)
    roots = [point for point in points if point.tags.get("parent_deployment") == "undefined"]
    assert roots
    assert money(points, "deployment_price") == Decimal(totals["deployment_price"]) > 0
    assert money(roots, "price") == Decimal(totals["root_price"])
    assert {count: number(points, count) for count in COUNTS} == {count: totals[count] for count in COUNTS}
    assert Counter(point.measurement for point in points) == totals["points"]
    check_accounts(outcome, totals)


def check_accounts(outcome: Outcome, totals: Json) -> None:
    stats = outcome.stats
    assert stats.lines == totals["lines"]
    assert stats.records == totals["records"]
    assert stats.points == totals["points"]
    assert stats.ignored.total() == totals["ignored"]
    assert stats.dead.total() == totals["dead"] == len(outcome.faults)


def test_roots_alone_are_less_than_all_prices() -> None:
    """Otherwise the sample would not tell a right sum from a wrong one."""
    points = lp.parse_all(through(SAMPLE.read_bytes()).out)
    assert money(points, "price") > money(points, "deployment_price")


def test_as_json_it_is_the_same() -> None:
    settings = Settings(format=Format.JSON, language=Scope.OFF, topics=Scope.OFF)
    outcome = through(SAMPLE.read_bytes(), settings)
    assert len(outcome.lines) == sum(TOTALS["points"].values())
    check_accounts(outcome, TOTALS)


def test_the_points_of_a_larger_log_do_not_collide() -> None:
    """InfluxDB keeps one point for a measurement, tags and time."""
    points = lp.parse_all(through(generated(11, 3000)[0]).out)
    assert len({(point.measurement, *point.tags.values(), point.time) for point in points}) == len(points)
