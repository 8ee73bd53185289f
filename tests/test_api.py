"""`from dial_enricher import Enricher, enrich_lines`: the pipeline for Python programs."""

import inspect
import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import pytest

from dial_enricher import Enricher, EnricherSettings, cli, enrich_lines
from dial_enricher.errors import SettingError
from dial_enricher.event import Event
from tests import lp
from tests.support import (
    PATIENCE,
    PLAIN,
    ROOT,
    SAMPLE_LINES,
    TOTALS,
    changed,
    environment,
    line,
    log,
    run,
)

RATES = {"gpt": {"unit": "token", "prompt_price": "0.5", "completion_price": 2}}
UNPRICED = line(changed(log(), "token_usage", {"prompt_tokens": 22, "completion_tokens": 3}))


def plain(**settings: Any) -> Enricher:
    return Enricher(language="off", topics="off", **settings)


@pytest.mark.parametrize("form", ["lp", "json"])
def test_it_gives_the_bytes_of_the_command_line(form: Any) -> None:
    done = run("--format", form, *PLAIN, stdin=b"".join(SAMPLE_LINES))
    assert done.lines == list(plain(format=form).enrich(SAMPLE_LINES))
    assert len(done.lines) == sum(TOTALS["points"].values())


def test_it_knows_the_schemas_of_the_command_line() -> None:
    done = run("--schema", "lean", "--tag", "user_hash,chat_id", *PLAIN, stdin=b"".join(SAMPLE_LINES))
    lean = plain(schema="lean", tag=["user_hash", "chat_id"])
    assert done.lines == list(lean.enrich(SAMPLE_LINES)) != list(plain().enrich(SAMPLE_LINES))
    with pytest.raises(SettingError, match="colour"):
        plain(no_tag=["colour"])


def test_a_line_needs_no_newline() -> None:
    assert list(plain().enrich([b.rstrip(b"\n") for b in SAMPLE_LINES])) == list(plain().enrich(SAMPLE_LINES))


def test_language_is_found_as_on_the_command_line() -> None:
    languages = ("en", "de", "uk")
    done = run("--languages", ",".join(languages), "--topics", "off", stdin=b"".join(SAMPLE_LINES))
    written = list(Enricher(languages=languages, topics="off").enrich(SAMPLE_LINES))
    assert done.lines == written
    tags = {lp.parse(one).tags.get("language") for one in written}
    assert {"en", "de", "undefined"} <= tags


def test_points_are_what_is_rendered() -> None:
    points = list(plain().points(SAMPLE_LINES))
    parsed = [lp.parse(one) for one in plain().enrich(SAMPLE_LINES)]
    assert [(p.measurement, p.tags, p.fields, p.time) for p in points] == [p[:4] for p in parsed]


def test_json_points_hold_the_same() -> None:
    points = [
        {"measurement": p.measurement, "tags": p.tags, "fields": p.fields, "time": p.time}
        for p in plain().points(SAMPLE_LINES)
    ]
    assert [json.loads(one) for one in plain(format="json").enrich(SAMPLE_LINES)] == points


def test_stats_keep_the_accounts_of_all_calls() -> None:
    enricher = plain()
    assert (enricher.stats.lines, enricher.stats.summary()["points"]) == (0, 0)
    for round in (1, 2):
        assert sum(1 for _ in enricher.enrich(SAMPLE_LINES)) == sum(TOTALS["points"].values())
        assert enricher.stats.lines == round * TOTALS["lines"]
        assert enricher.stats.summary() == {
            "lines": round * TOTALS["lines"],
            "records": round * TOTALS["records"],
            "points": round * sum(TOTALS["points"].values()),
            "ignored": round * TOTALS["ignored"],
            "dead": round * TOTALS["dead"],
            "dead_invalid_json": round * TOTALS["dead"],
        }


def test_on_dead_gets_each_event_in_trouble() -> None:
    dead: list[Event] = []
    lines = [b"no json\n", line(log()), b"[1]\n", b"\xff\n", line({"request": {}}), b"y" * 100_001]
    enricher = plain(on_dead=dead.append, max_line_bytes=100_000)
    assert len(list(enricher.enrich(lines, "a file"))) == 1
    told = [(event.line.number, event.fault.code.value) for event in dead if event.fault]
    assert told == [
        (1, "invalid_json"),
        (3, "not_a_dial_log"),
        (4, "invalid_utf8"),
        (5, "missing_field"),
        (6, "line_too_long"),
    ]
    assert {event.line.source for event in dead} == {"a file"}
    assert dead[0].raw == b"no json"
    excess = dead[-1].line.excess
    assert excess is not None
    assert excess.length == 100_001
    assert dead[-1].raw == b"y" * 100_000


def test_rates_price_what_the_log_does_not() -> None:
    (without,) = plain().points([UNPRICED])
    (priced,) = plain(rates=RATES).points([UNPRICED])
    assert (without.fields["price"], without.fields["deployment_price"]) == (0, 0)
    assert (priced.fields["price"], priced.fields["deployment_price"]) == (17, 17)


WRONG: list[dict[str, Any]] = [
    {"format": "xml"},
    {"language": "maybe"},
    {"languages": ["xx"]},
    {"language_accuracy": "medium"},
    {"rates": {"gpt": {"unit": "word"}}},
    {"rates": {"gpt": 5}},
    {"rates": {"gpt": {"unit": "token", "prompt_price": "-1"}}},
    {"batch_lines": 0},
    {"batch_lines": -1},
    {"max_line_bytes": 0},
    {"since": "yesterday"},
    {"where": ["language=de"]},
]


@pytest.mark.parametrize("settings", WRONG, ids=str)
def test_a_bad_setting_is_refused_at_once(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError) as refused:
        Enricher(**settings)
    assert str(refused.value)


def test_two_enrichers_share_nothing() -> None:
    dead: list[Event] = []
    one, other = plain(rates=RATES, on_dead=dead.append), plain(format="json", batch_lines=2)
    ones, others = one.enrich([UNPRICED, b"?"] * 600), other.enrich([UNPRICED, b"?"] * 600)
    pairs = list(zip(ones, others, strict=True))
    assert len(pairs) == 600
    assert all(lp.parse(point).fields["price"] == 17 for point, _ in pairs)
    assert all(json.loads(point)["fields"]["price"] == 0 for _, point in pairs)
    assert len(dead) == 600
    assert one.stats.summary() == other.stats.summary()
    assert one.stats is not other.stats


def test_lines_are_taken_by_batches_and_only_when_somebody_asks() -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield line(log())

    points = plain(batch_lines=3).enrich(endless())
    assert taken == 0
    for wanted in (3, 3, 3, 6, 6, 6, 9):
        next(points)
        assert taken == wanted


def test_a_generator_that_is_left_early_loses_no_later_line() -> None:
    enricher = plain(batch_lines=2)
    early = enricher.enrich([line(log())] * 4)
    next(early)
    del early
    assert len(list(enricher.enrich([line(log())] * 3))) == 3


def test_it_takes_a_part_as_the_command_line_does() -> None:
    part = {"since": "2026-03-02T07:30:01", "until": "2026-03-02T08:00:00"}
    options = [word for name, value in part.items() for word in ("--" + name, value)]
    where = ["measurement=analytics", "measurement=mcp_analytics"]
    done = run(*PLAIN, *options, "--where", where[0], "--where", where[1], stdin=b"".join(SAMPLE_LINES))
    assert done.lines == list(plain(**part, where=where).enrich(SAMPLE_LINES))
    assert 0 < len(done.lines) < sum(TOTALS["points"].values())


def test_a_setting_that_does_not_exist_is_refused() -> None:
    strange: dict[str, Any] = {"colour": "red", "to": "influxdb"}
    with pytest.raises(TypeError, match=r"^Enricher has no setting colour, to$"):
        Enricher(**strange)
    with pytest.raises(TypeError, match=r"^enrich_lines has no setting colour, to$"):
        enrich_lines([], **strange)


def test_a_single_text_is_one_value() -> None:
    for several in (
        {"where": "measurement=mcp_analytics"},
        {"schema": "lean", "tag": "user_hash"},
        {"no_tag": "trace_id"},
    ):
        listed = {name: [value] if name != "schema" else value for name, value in several.items()}
        written = list(plain(**several).enrich(SAMPLE_LINES))
        assert written == list(plain(**listed).enrich(SAMPLE_LINES)) != list(plain().enrich(SAMPLE_LINES))
    languages = Enricher(languages="en", language="all", topics="off").points(SAMPLE_LINES)
    assert {one.tags.get("language", "undefined") for one in languages} == {"en", "undefined"}


@pytest.mark.parametrize("wrong", ["text", bytearray(b"{}"), None, 5], ids=repr)
def test_a_line_that_is_no_bytes_is_refused(wrong: Any) -> None:
    told = f"^a line must be bytes, not {type(wrong).__name__}: open"
    for points in (plain().enrich([wrong]), enrich_lines([wrong], language="off", topics="off")):
        with pytest.raises(TypeError, match=told):
            next(points)


def test_settings_are_those_of_the_command_line() -> None:
    options = {one.name: one for one in cli.enrich.params if isinstance(one, click.Option)}
    named = set(EnricherSettings.__annotations__) - {"on_dead"}
    assert named <= options.keys()
    assert {"since", "until", "where", "language", "languages", "topics", "schema", "rates"} <= named


# The function for other engines

PART = partial(enrich_lines, language="off", topics="off", where=["measurement=analytics"])


def enriched(lines: list[bytes]) -> list[bytes]:
    return list(PART(lines))


def test_the_function_gives_what_the_class_gives() -> None:
    assert list(enrich_lines(SAMPLE_LINES, language="off", topics="off")) == list(
        plain().enrich(SAMPLE_LINES)
    )
    bare = [b.rstrip(b"\n") for b in SAMPLE_LINES]
    assert list(enrich_lines(iter(bare), language="off", topics="off", format="json")) == list(
        plain(format="json").enrich(SAMPLE_LINES)
    )


def test_it_goes_to_other_processes_by_its_name() -> None:
    pieces = [SAMPLE_LINES[begin : begin + 50] for begin in range(0, len(SAMPLE_LINES), 50)]
    with get_context("spawn").Pool(2) as pool:  # nothing is inherited: all goes through pickle
        done = pool.map_async(enriched, pieces).get(PATIENCE)
        (first,) = pool.starmap_async(_listed, [(PART, pieces[0])]).get(PATIENCE)
    assert [one for piece in done for one in piece] == list(PART(SAMPLE_LINES))
    assert first == done[0] != []
    assert pickle.loads(pickle.dumps(enrich_lines)) is enrich_lines


def _listed(function: Any, lines: list[bytes]) -> list[bytes]:
    return list(function(lines))


def test_it_begins_when_the_first_point_is_asked_for_and_ends_when_it_is_closed() -> None:
    taken: list[str] = []

    def source() -> Iterator[bytes]:
        try:
            for _ in range(10):
                taken.append("line")
                yield line(log())
        finally:
            taken.append("closed")

    lines = source()
    points = enrich_lines(lines, language="off", topics="off", batch_lines=2)
    assert inspect.isgenerator(points)
    assert taken == []
    assert next(points)
    assert taken == ["line"] * 2
    points.close()
    assert list(points) == []
    assert next(lines), "what was not taken is still there"


@pytest.mark.parametrize("settings", [wrong for wrong in WRONG if "languages" not in wrong], ids=str)
def test_its_settings_are_checked_when_it_is_called(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        enrich_lines([], **settings)


def test_its_models_are_loaded_when_a_point_is_asked_for() -> None:
    points = enrich_lines([], topics="all", topic_model="/nonexistent")
    with pytest.raises(SettingError, match="/nonexistent"):
        next(points)


def test_on_dead_serves_the_function_too() -> None:
    dead: list[Event] = []
    points = enrich_lines([b"?", line(log())], language="off", topics="off", on_dead=dead.append)
    assert len(list(points)) == len(dead) == 1


TYPED = """
from collections.abc import Iterator
from functools import partial
from dial_enricher import Enricher, EnricherSettings, enrich_lines
from dial_enricher.event import Event

def bury(event: Event) -> None: ...

points: Iterator[bytes] = enrich_lines([b""], topics="off", languages=["en"], on_dead=bury)
settings: EnricherSettings = {"since": "2026-11-20", "where": ["deployment=gpt"]}
enrich_lines([b""], **settings)
Enricher(**settings).enrich([b""])
partial(enrich_lines, schema="lean")
"""
MISTYPED = {
    'enrich_lines([b""], topics="sometimes")': "arg-type",
    'enrich_lines([b""], colour="red")': "call-arg",
    'enrich_lines([b""], batch_lines="2")': "arg-type",
    'enrich_lines(["text"])': "list-item",
    'Enricher(language="maybe")': "arg-type",
    'wrong: EnricherSettings = {"until": 5}': "typeddict-item",
}


def test_editors_and_mypy_know_the_settings(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(TYPED + "\n".join(MISTYPED) + "\n")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--no-error-summary",
            "--hide-error-context",
            str(program),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment({"MYPYPATH": str(ROOT)}),
        timeout=PATIENCE,
    )
    found = [
        (int(one.split(":")[1]), one.rpartition("[")[2]) for one in done.stdout.splitlines() if "error" in one
    ]
    first = TYPED.count("\n") + 1
    assert found == [(first + number, f"{code}]") for number, code in enumerate(MISTYPED.values())], (
        done.stdout
    )
