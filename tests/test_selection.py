"""A part of a log: by the time of requests, and by what the log tells of them."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dial_enricher.assemble import assemble
from dial_enricher.enrich.work import Alone
from dial_enricher.errors import Code, SettingError
from dial_enricher.event import Event, Line
from dial_enricher.schema import COLUMNS, Kind
from dial_enricher.selection import SELECTABLE
from dial_enricher.settings import Settings
from tests import lp
from tests.support import (
    PLAIN,
    PLAIN_SETTINGS,
    SAMPLE,
    SAMPLE_LINES,
    TOTALS,
    Json,
    Outcome,
    changed,
    check_refused,
    line,
    log,
    run,
    through,
)


def selected(data: bytes, **selection: Any) -> Outcome:
    return through(data, replace(PLAIN_SETTINGS, **selection))


def at(time: str, record: Json | None = None) -> bytes:
    return line(changed(record or log(), "request.time", time))


# By time


@pytest.mark.parametrize(
    ("since", "until", "wanted"),
    [
        (None, None, "abcd"),
        ("2026-03-02", None, "bcd"),
        ("2026-03-02T00:00:00Z", None, "bcd"),
        ("2026-03-02T01:00:00+01:00", None, "bcd"),
        ("2026-03-01T23:30:00-00:30", None, "bcd"),
        ("20260302T000000.000001", None, "cd"),
        (None, "2026-03-02", "a"),
        (None, "2026-03-02T24:00", "abc"),
        ("2026-03-02", "2026-03-03", "bc"),
        ("2026-03-02", "2026-03-02T00:00:00.000001", "b"),
        ("2026-03-04", None, ""),
    ],
)
def test_since_is_inclusive_and_until_is_not(since: str | None, until: str | None, wanted: str) -> None:
    times = {
        "a": "2026-03-01T23:59:59.999",
        "b": "2026-03-02T02:00:00.000+02:00",
        "c": "2026-03-02T12:00:00",
        "d": "2026-03-03T00:00:00Z",
    }
    data = b"".join(at(time, changed(log(), "deployment", name)) for name, time in times.items())
    done = selected(data, since=since, until=until)
    assert [lp.parse(one).tags["deployment"] for one in done.lines] == list(wanted)
    assert done.stats.ignored == Counter(not_selected=4 - len(wanted)) - Counter()
    assert (done.stats.records, done.stats.written, done.faults) == (4, len(wanted), [])


_START = datetime(2026, 3, 1, tzinfo=UTC)
_MOMENTS = st.integers(0, 10**9).map(lambda microseconds: _START + timedelta(microseconds=microseconds))
_ZONED = st.tuples(_MOMENTS, st.sampled_from(["", "Z", "+05:30", "-08:00"])).map(lambda pair: _written(*pair))


def _written(moment: datetime, zone: str) -> str:
    """The moment in a zone; in UTC where that is not named."""
    hours = {"": 0.0, "Z": 0.0, "+05:30": 5.5, "-08:00": -8.0}[zone]
    return (moment + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.%f") + zone


@given(times=st.lists(_ZONED, max_size=12), cuts=st.lists(_ZONED, min_size=1, max_size=3))
def test_the_parts_of_a_log_add_up_to_the_whole(times: list[str], cuts: list[str]) -> None:
    lines = [
        at(time, changed(log(), "trace.core_span_id", f"span{number}")) for number, time in enumerate(times)
    ]
    data = b"".join([*lines, b"no json\n", b"\n", *lines[:1], line(log("/v1/bucket"))])
    moments = {cut: selected(at(cut)).lines[0].split()[-1] for cut in cuts}
    edges = list(
        {moment: cut for cut, moment in sorted(moments.items(), key=lambda pair: int(pair[1]))}.values()
    )
    parts = [
        selected(data, since=since, until=until)
        for since, until in zip([None, *edges], [*edges, None], strict=True)
    ]
    whole = selected(data)
    assert Counter(one for part in parts for one in part.lines) == Counter(whole.lines)
    for part in parts:  # what is no matter of time is in each
        assert part.stats.dead == whole.stats.dead
        assert part.stats.ignored - Counter(not_selected=len(data)) == whole.stats.ignored
        assert [one for one in whole.lines if one in part.lines] == part.lines, "order is kept"


@pytest.mark.parametrize("time", [None, "", "yesterday", 5])
@pytest.mark.parametrize("selection", [{"since": "2026-03-02"}, {"until": "2026-03-02"}], ids=str)
def test_a_record_without_a_time_is_as_dead_as_ever(time: object, selection: Json) -> None:
    data = line(changed(log(), "request.time", time))
    (fault,), (usual,) = selected(data, **selection).faults, selected(data).faults
    assert (fault.code, fault.detail) == (usual.code, usual.detail) == (Code.MISSING_FIELD, usual.detail)


def test_where_alone_needs_no_time() -> None:
    data = line(changed(log(), "request.time", None))
    assert selected(data, where=("deployment=other",)).stats.ignored == Counter(not_selected=1)


# By column

OTHER = changed(changed(log(), "deployment", "gpt-4o mini"), "user.title", None)


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        (["deployment=gpt"], [True, False]),
        (["deployment=gpt-4o mini"], [False, True]),
        ([" deployment = gpt-4o mini "], [False, True]),
        (["deployment=gpt", "deployment=gpt-4o mini"], [True, True]),
        (["deployment=gpt", "title=undefined"], [False, False]),
        (["deployment=gpt", "deployment=gpt-4o mini", "title=undefined"], [False, True]),
        (["title=Engineer"], [True, False]),
        (["title=engineer"], [False, False]),
        (["execution_path=app/gpt"], [True, True]),
        (["measurement=analytics"], [True, True]),
        (["measurement=rate_analytics"], [False, False]),
        (["user_hash=hash-1"], [True, True]),
        (["operation_duration_ms=120"], [True, True]),
        (["prompt_tokens=22", "completion_tokens=3"], [True, True]),
        (["prompt_tokens=23"], [False, False]),
        (["prompt_tokens=22.0"], [True, True]),
        (["prompt_tokens=22.5"], [False, False]),
        (["reasoning_completion_tokens=0"], [True, True]),
        (["chat_id=undefined"], [False, False]),
        (["mcp_method=undefined"], [False, False]),
        (["mcp_method=undefined", "measurement=analytics"], [False, False]),
        (["trace_id=" + "t" * 32], [True, True]),
        (["response_id=answer-1"], [True, True]),
    ],
)
def test_where_takes_either_value_of_a_column_and_all_columns_together(
    where: list[str], wanted: list[bool]
) -> None:
    done = selected(line(log()) + line(OTHER), where=tuple(where))
    whole = selected(line(log()) + line(OTHER)).lines
    assert done.lines == [one for one, is_wanted in zip(whole, wanted, strict=True) if is_wanted]


def test_every_column_that_may_be_named_can_be_told() -> None:
    """What a point of the sample shows finds its record again, whatever the column."""
    tried = set()
    for record, one in _points(SAMPLE_LINES):
        shown = one.tags | one.fields | {"measurement": one.measurement}
        for column in SELECTABLE:
            value = shown.get(column, "undefined")
            if column not in shown and COLUMNS[column].kind is not Kind.STRING:
                value = 0
            found = selected(record, where=(f"{column}={value}",))
            assert found.stats.written == (column in shown), (column, one.measurement)
            tried |= {column} & shown.keys()
    assert tried == set(SELECTABLE)


AWKWARD = {
    "a backslash": ("Buyer EMEA\\LATAM", "Buyer EMEA\uff3cLATAM"),
    "control characters": ("Head\tof\nSales\x85", "Head of Sales "),
    "blanks around it": ("  Head ", "  Head "),
    "half a letter": ("Head \ud83d", "Head \ufffd"),
    "too long": ("ü" * 2000, "ü" * 1024),
    "as good as empty": ("", "undefined"),
}


@pytest.mark.parametrize("awkward", AWKWARD)
@pytest.mark.parametrize("schema", [{}, {"no_tag": ("title",)}], ids=["tag", "field"])
def test_where_takes_a_value_as_the_log_has_it_and_as_its_points_show_it(awkward: str, schema: Json) -> None:
    raw, shown_as_tag = AWKWARD[awkward]
    data = line(changed(log(), "user.title", raw)) + line(log())
    columns = lp.parse(selected(data, **schema).lines[0])
    shown = str((columns.tags | columns.fields)["title"])
    assert schema or shown == shown_as_tag
    for value in filter(None, (raw, shown)):
        done = selected(data, where=(f"title={value}",), **schema)
        assert done.lines == selected(data, **schema).lines[:1], value
        assert not done.stats.notes or awkward == "too long", "a condition mends nothing"
    assert selected(data, where=(f"title={shown} x"[:900],), **schema).lines == []


def test_a_slash_within_a_path_is_found() -> None:
    record = line(changed(log(), "execution_path", ["app/one", "gpt"]))
    for value in ("app\uff3c/one/gpt", "app\\/one/gpt"):
        assert selected(record, where=(f"execution_path={value}",)).stats.written == 1
    assert selected(record, where=("execution_path=app/one/gpt",)).stats.written == 0


def test_numbers_are_compared_as_points_show_them() -> None:
    untimed = line(changed(log(), "operation_duration_ms", None))
    assert selected(untimed, where=("operation_duration_ms=0",)).lines == [], "its point has none"
    endless = line(changed(log(), "token_usage.prompt_tokens", 10**30))
    for number in (10**30, 2**63 - 1, "1e30"):
        assert selected(endless, where=(f"prompt_tokens={number}",)).stats.written == 1, number
    assert selected(line(log()), where=(f"prompt_tokens={2**63 - 1}",)).lines == []


def _points(lines: Sequence[bytes]) -> list[tuple[bytes, lp.Parsed]]:
    """A record of each measurement and its first point; ids that the program makes are among them."""
    found: dict[str, tuple[bytes, lp.Parsed]] = {}
    for record in lines:
        for one in through(record).lines:
            point = lp.parse(one)
            made = "made" if len(str(point.tags.get("response_id", ""))) == 36 else "brought"
            found.setdefault(point.measurement + made, (record, point))
    return list(found.values())


def test_a_batch_of_calls_is_wanted_as_a_whole() -> None:
    """Where in a batch a call stands is a part of the time of its point."""
    methods = ("initialize", "tools/list", "tools/call")
    calls = [{"jsonrpc": "2.0", "id": n, "method": method} for n, method in enumerate(methods)]
    record = line(log("/v1/toolset/t/mcp", body=calls))
    whole = selected(record).lines
    assert len(whole) == 3
    assert selected(record, where=("mcp_method=tools/call",)).lines == whole
    assert selected(record, where=("mcp_method=ping",)).lines == []
    assert selected(record, where=("mcp_method=ping", "mcp_method=initialize")).lines == whole


def test_one_call_of_a_batch_has_to_fit_all_columns() -> None:
    calls = [
        {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "search"}},
    ]
    record = line(log("/v1/toolset/t/mcp", body=calls))
    for method, wanted in (("tools/call", 2), ("tools/list", 0)):
        where = ("mcp_tool_call_name=search", f"mcp_method={method}")
        assert len(selected(record, where=where).lines) == wanted


def test_what_is_left_out_is_counted_and_costs_no_enriching() -> None:
    asked: list[int] = []

    class Curious:
        def concerns(self, event: Event) -> bool:
            return True

        def fill(self, events: list[Event]) -> None:
            asked.extend(event.line.number for event in events if event.live)

    settings = replace(PLAIN_SETTINGS, where=("deployment=gpt",))
    pipeline = assemble(settings, _Open(), _Open())
    pipeline.enrichment = Alone([Curious()])
    records = [log(), OTHER, log(), log("/v1/bucket")]
    pipeline.process([Line(line(record), "log", number) for number, record in enumerate(records, 1)])
    assert asked == [1, 3]
    assert pipeline.stats.ignored == Counter({"not_selected": 1, "/v1/bucket": 1})


class _Open:
    """Sink and graveyard that take everything."""

    def write(self, events: list[Event]) -> list[Event]:
        for event in events:
            event.written = event.live
        return events

    def flush(self) -> list[Event]:
        return []

    def bury(self, events: Sequence[Event]) -> None:
        assert not events


# Settings


@pytest.mark.parametrize(
    ("selection", "told"),
    [
        ({"since": "yesterday"}, "since must be a date or time in ISO 8601"),
        ({"until": ""}, "until must be a date"),
        ({"since": "2026-03-02", "until": "2026-03-02"}, "until must be later than since"),
        ({"since": "2026-03-02T00:00Z", "until": "2026-03-02T00:30+01:00"}, "until must be later than since"),
        ({"where": ("deployment",)}, "where must be COLUMN=VALUE"),
        ({"where": ("deployment=",)}, "where must be COLUMN=VALUE"),
        ({"where": ("=gpt",)}, "where must be COLUMN=VALUE"),
        (
            {"where": ("language=de",)},
            "where 'language=de': language is only known after enriching; ",
        ),
        (
            {"where": ("cached_prompt_tokens=undefined",)},
            "where 'cached_prompt_tokens=undefined': cached_prompt_tokens is a number, 0 where",
        ),
        ({"where": ("price=0",)}, "where 'price=0': price is only known after enriching"),
        (
            {"where": ("colour=red",)},
            "where 'colour=red': colour is no column; choose one of cache_",
        ),
    ],
    ids=str,
)
def test_a_selection_that_makes_no_sense_is_refused(selection: Json, told: str) -> None:
    with pytest.raises(SettingError) as refused:
        Settings(**selection)
    assert str(refused.value).startswith(told)


def test_the_command_line_takes_a_part() -> None:
    times = sorted(lp.parse(one).time for one in through(SAMPLE.read_bytes()).lines)
    half = datetime.fromtimestamp(times[len(times) // 2] // 10**9, UTC).isoformat()
    earlier, later = (
        run(*PLAIN, option, half, "--summary", "always", stdin=SAMPLE.read_bytes())
        for option in ("--until", "--since")
    )
    whole = run(*PLAIN, stdin=SAMPLE.read_bytes())
    assert sorted(earlier.lines + later.lines) == sorted(whole.lines)
    assert earlier.lines and later.lines
    figures = [dict(word.split("=") for word in done.err.split() if "=" in word) for done in (earlier, later)]
    not_selected = sum(int(one["ignored"]) for one in figures) - 2 * TOTALS["ignored"]
    assert not_selected == TOTALS["records"] - TOTALS["ignored"] - TOTALS["dead"]


def test_a_variable_holds_several_conditions_with_blanks() -> None:
    data = line(log()) + line(OTHER) + line(changed(log(), "deployment", "third"))
    env = {"DIAL_ENRICHER_WHERE": "deployment=gpt-4o mini; deployment=gpt;measurement=analytics"}
    named = [lp.parse(one).tags["deployment"] for one in run(*PLAIN, stdin=data, env=env).lines]
    assert named == ["gpt", r"gpt-4o mini"]
    for harmless in (";", "; ", "; ;;"):
        loose = {name: harmless + value + harmless for name, value in env.items()}
        assert run(*PLAIN, stdin=data, env=loose) == run(*PLAIN, stdin=data, env=env)
    check_refused(run(*PLAIN, "--where", "", stdin=data), "where must be COLUMN=VALUE")
    flags = ("--where", "deployment=gpt-4o mini", "--where", "deployment=gpt")
    assert run(*PLAIN, *flags, stdin=data).lines == run(*PLAIN, stdin=data, env=env).lines


def test_a_replay_is_never_a_part() -> None:
    """Letters that hold points are sent as they are: nobody reads the columns of their records."""
    check_refused(run("replay", "--since", "2026-03-02", "-", stdin=b""), "--since")


def test_letters_of_selected_records_hold_their_columns() -> None:
    done = run(
        *PLAIN, "--since", "2026-03-02", "--dead-letter", "-", stdin=line(changed(log(), "request.time", ""))
    )
    letter = json.loads(next(one for one in done.err.splitlines() if one.startswith("{")))
    assert (letter["code"], letter["stage"], letter["record"]["deployment"]) == (
        "missing_field",
        "select",
        "gpt",
    )
