"""The small pure parts, each by itself, where a golden case would only show them from afar."""

import gc
import logging
import time
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from dial_enricher import Enricher, jsontext, lineprotocol
from dial_enricher.batch import Batcher
from dial_enricher.endpoints import ENDPOINTS, shape
from dial_enricher.errors import BadRecord, Code, SettingError
from dial_enricher.event import Event, Fault, Line, Log, Point
from dial_enricher.identity import nanoseconds, offset
from dial_enricher.logs import Repeats
from dial_enricher.outlet import Outlet
from dial_enricher.rates import Unit, parse_rates
from dial_enricher.schema import COLUMNS, MEASUREMENTS
from dial_enricher.stats import AccountsOpen, Stats
from dial_enricher.take import need
from dial_enricher.values import amount, count, duration, text


def _line(size: int = 1) -> Line:
    return Line(b"x" * size, "stdin", 1)


class TestBatcher:
    def test_an_empty_batch_lets_the_reader_block_for_ever(self) -> None:
        assert Batcher(10, 100, 1.0).until_old(now=5.0) is None

    def test_a_batch_is_full_by_count(self) -> None:
        batcher = Batcher(2, 100, 1.0)
        assert [batcher.add(_line(), 0.0) for _ in range(2)] == [False, True]

    def test_a_batch_is_full_by_bytes(self) -> None:
        batcher = Batcher(10, 100, 1.0)
        assert [batcher.add(_line(60), 0.0) for _ in range(2)] == [False, True]

    def test_a_batch_is_as_old_as_its_first_line(self) -> None:
        batcher = Batcher(10, 100, 1.0)
        batcher.add(_line(), 5.0)
        batcher.add(_line(), 5.75)
        assert batcher.until_old(5.75) == 0.25
        assert batcher.until_old(7.0) == 0.0

    def test_the_next_batch_begins_empty(self) -> None:
        batcher = Batcher(2, 100, 1.0)
        batcher.add(_line(99), 0.0)
        assert len(batcher.take()) == 1
        assert batcher.until_old(9.0) is None
        assert not batcher.add(_line(99), 9.0)


class TestOutlet:
    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def outlet(self, max_delay: float = 0.5) -> Outlet:
        return Outlet(Batcher(2, 100, max_delay))

    def due_after(self, seconds: float, of: Outlet) -> list[Line] | None:
        self.now += seconds
        return of.due()

    def test_nothing_is_due_before_anything_came(self) -> None:
        assert self.outlet().patience() is None

    def test_a_batch_that_is_not_full_is_due_when_it_is_old(self) -> None:
        of, line = self.outlet(), _line()
        assert list(of.fill([line])) == []
        assert of.patience() == 0.5
        assert self.due_after(0.5, of) == [line]
        assert of.due() == []
        assert of.due() is None

    def test_a_pause_is_told_once_and_not_to_a_writer_who_only_takes_a_moment(self) -> None:
        of = self.outlet()
        for _ in range(3):
            assert len(list(of.fill([_line(), _line()]))) == 1
            assert self.due_after(0.03, of) is None
            list(of.fill([]))  # half a line is no line
        assert self.due_after(0.03, of) == []
        assert self.due_after(60, of) is None
        assert of.patience() is None

    def test_without_delay_every_moment_is_a_pause(self) -> None:
        of = self.outlet(max_delay=0)
        assert len(list(of.fill([_line()]))) == 1
        assert of.due() == []


@pytest.mark.parametrize(
    ("value", "expected", "noted"),
    [
        (22, 22, 0),
        (22.0, 22, 0),
        ("22", 22, 0),
        ("22.0", 22, 0),
        (10**30, 10**30, 0),
        (None, None, 0),
        ("", None, 0),
        (-1, 0, 1),
        (True, 0, 1),
        (float("nan"), 0, 1),
        (float("inf"), 0, 1),
        (10**400, 0, 1),
        ("many", 0, 1),
        ("9" * 5000, 0, 1),
        ([22], 0, 1),
    ],
)
def test_a_count_is_read_leniently_and_what_is_none_is_zero(value: Any, expected: Any, noted: int) -> None:
    notes: Counter[str] = Counter()
    assert count(value, notes) == expected
    assert notes["bad_number"] == noted


def test_an_amount_keeps_its_digits() -> None:
    assert amount("0.000000357", Counter()) == 3.57e-07
    assert amount(0.1, Counter()) == 0.1
    assert amount(-0.5, Counter()) == 0.0


def test_a_duration_that_is_no_number_is_unknown_rather_than_zero() -> None:
    assert duration("soon", Counter()) is None
    assert duration("12.9", Counter()) == 12


def test_a_text_is_what_can_be_spelled_out() -> None:
    notes: Counter[str] = Counter()
    assert [text(value, notes) for value in ("a", "", None, 5, 2.5, False)] == [
        "a",
        None,
        None,
        "5",
        "2.5",
        "false",
    ]
    assert text({"a": 1}, notes) is None
    assert notes["not_a_text"] == 1


def test_a_required_value_that_is_missing_is_named_by_its_path() -> None:
    with pytest.raises(BadRecord, match=r"trace\.span is missing or empty") as caught:
        need({"trace": {"span": ""}}, ("trace", "span"))
    assert caught.value.code is Code.MISSING_FIELD


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("1970-01-01T00:00:00", 0),
        ("1970-01-01T00:00:00.001", 1_000_000),
        ("2026-11-20T10:11:12.345", 1795169472345000000),
        ("2026-11-20T12:11:12.345+02:00", 1795169472345000000),
        ("2026-11-20T10:11:12.345Z", 1795169472345000000),
        ("20261120T101112.345", 1795169472345000000),
        ("2026-11-20T10:11:12,345678", 1795169472345678000),
        ("2026-W47-5T10:11:12.345", 1795169472345000000),
        ("2026-324T10:11:12.345", 1795169472345000000),
        ("2026-11", 1793491200000000000),
        ("2026", 1767225600000000000),
        ("2026-11-19T24:00", 1795132800000000000),
        ("1969-12-31T23:59:59.999", -1_000_000),
    ],
)
def test_a_time_is_whatever_isoparse_accepts(time: str, expected: int) -> None:
    assert nanoseconds(time) == expected


@pytest.mark.parametrize(
    "time", [None, "", "yesterday", 1795169472, ["2026"], "2026-13-01", "2026-11-20T10:11:60"]
)
def test_a_time_that_is_none_loses_the_record(time: Any) -> None:
    with pytest.raises(BadRecord, match=r"request\.time"):
        nanoseconds(time)


class TestRates:
    def test_prices_are_decimals_to_the_last_digit(self) -> None:
        rate = parse_rates('{"m": {"unit": "token", "prompt_price": "0.1", "completion_price": 0.2}}', "x")[
            "m"
        ]
        assert rate.price(3, 1) == Decimal("0.5")

    def test_a_missing_price_is_zero(self) -> None:
        rate = parse_rates('{"m": {"unit": "char_without_whitespace"}}', "x")["m"]
        assert (rate.unit, rate.price(9, 9)) == (Unit.CHARACTER, Decimal(0))

    @pytest.mark.parametrize(
        "document",
        [
            "",
            "nonsense",
            "[]",
            '{"m": 5}',
            '{"m": {}}',
            '{"m": {"unit": "word"}}',
            '{"m": {"unit": ["token"]}}',
            '{"m": {"unit": "token", "prompt_price": "NaN"}}',
            '{"m": {"unit": "token", "prompt_price": "-1"}}',
            '{"m": {"unit": "token", "prompt_price": "1e400"}}',
            '{"m": {"unit": "token", "prompt_price": true}}',
            '{"m": {"unit": "token", "completion_price": {"usd": 1}}}',
        ],
    )
    def test_what_is_no_rate_is_refused_with_the_name_of_its_source(self, document: str) -> None:
        with pytest.raises(SettingError, match=r"rates\.json: "):
            parse_rates(document, "rates.json")


class TestAccounts:
    def test_an_event_must_end_somewhere(self) -> None:
        with pytest.raises(AccountsOpen):
            Stats().settle([Event(b"", _line())])

    def test_an_event_must_not_end_twice(self) -> None:
        fault = Fault(Code.INTERNAL, "test", "")
        with pytest.raises(AccountsOpen):
            Stats().settle([Event(b"", _line(), fault=fault, written=True)])

    def test_an_event_must_not_be_forgotten(self) -> None:
        stats = Stats()
        stats.read([Event(b"", _line(), written=True)], {})
        with pytest.raises(AccountsOpen):
            stats.close()

    def test_paths_that_a_client_makes_up_do_not_fill_the_memory(self) -> None:
        stats = Stats()
        stats.settle([Event(b"", _line(), ignored=f"/{number}") for number in range(1000)])
        assert len(stats.ignored) == 101
        assert stats.ignored["other"] == 900


class TestRepeats:
    def _shown(self, times: list[float]) -> list[str]:
        repeats, shown = Repeats(), []
        for moment in times:
            record = logging.LogRecord("x", logging.WARNING, "", 0, "dead", (), None)
            record.created, record.code = moment, "invalid_json"
            if repeats.filter(record):
                shown.append(record.getMessage())
        return shown

    def test_a_message_is_shown_once_in_ten_seconds_and_says_how_many_were_not(self) -> None:
        assert self._shown([0.0, 1.0, 9.0, 10.0, 10.5, 30.0]) == [
            "dead",
            "dead (2 more since)",
            "dead (1 more since)",
        ]


def test_a_float_is_written_in_its_shortest_form() -> None:
    def written(number: float) -> bytes:
        return lineprotocol.render(Point("m", {"t": "x"}, {"f": number}, 0))

    for number, shortest in [
        (0.0, b"0"),
        (1.0, b"1"),
        (0.25, b"0.25"),
        (3.5e-07, b"3.5e-07"),
        (1e22, b"1e+22"),
    ]:
        assert written(number) == b"m,t=x f=" + shortest + b" 0\n"


def test_what_a_cut_document_still_tells() -> None:
    cut = '{"model":"gpt-4","n":1,"messages":[{"role":"user","content":"mo>>'
    assert jsontext.salvage(cut) == {"model": "gpt-4", "n": 1}
    assert jsontext.salvage('{"a":1,"n":12>>') == {"a": 1}, "the number may have lost digits"
    assert jsontext.salvage("[1,2>>") == {}
    assert jsontext.salvage(">>") == {}
    assert jsontext.salvage('{"a":' + "[" * 100_000 + ">>") == {}


def test_the_shape_of_a_path_has_no_ids() -> None:
    assert shape("/v1/files/4Xy/old/secret.pdf") == "/v1/files/{id}"
    assert shape("//openai/deployments/my-app/completions") == "/openai/deployments/{id}/completions"
    assert shape("") == "/"


def test_the_schema_and_the_endpoints_know_each_other() -> None:
    assert len({endpoint.pattern for endpoint in ENDPOINTS}) == len(ENDPOINTS)
    for measurement in MEASUREMENTS.values():
        assert {*measurement.tags, *measurement.fields} <= COLUMNS.keys()
        assert not {*measurement.tags} & {*measurement.fields}
        assert [*measurement.tags] == sorted(measurement.tags)
        assert [*measurement.fields] == sorted(measurement.fields)


def test_records_in_trouble_leave_no_reference_cycles() -> None:
    """An exception kept in a local variable would keep its whole batch alive until the collector comes."""
    lines = [b"{", b"\xff", b'{"request":{"uri":"/v1/x/rate","body":"{>>"}}', b'{"message":"["}', b"[" * 5000]
    enricher = Enricher(language="off", topics="off")
    list(enricher.enrich(lines))
    gc.collect()
    gc.disable()
    try:
        assert not list(enricher.enrich(lines))
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_no_two_calls_of_a_batch_share_an_offset() -> None:
    log = Log({}, b"line", "/")
    offsets = {offset(log, {}, position) for position in range(100_000)}
    assert len(offsets) == 100_000
    assert max(offsets) < 1_000_000
