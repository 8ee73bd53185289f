"""The benchmark's own arithmetic: figures, history, chart, and the log it is fed. No clock is looked at."""

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import history
from benchmarks.chart import GAP_INSIDE, chart, ticks
from benchmarks.conversation import conversation
from benchmarks.figures import Figure, Goal, figure, in_turn, number, percentile
from benchmarks.history import Report
from benchmarks.memory import watched
from benchmarks.shape import repeated, rows, shape_of
from benchmarks.speed import sampled
from benchmarks.stages import STAGES, times
from dial_enricher.endpoints import understand
from dial_enricher.event import Line
from dial_enricher.logformat import decode
from dial_enricher.settings import Scope
from tests.dialcore import Generator
from tests.support import SAMPLE_LINES

FASTER = figure("Lines", "lines/s", [(900, 10), (1600, 10), (1000, 5)], "the others", Goal(">=", 150))
LIGHTER = figure("Peak", "MB", [(120.5, 30)], "nothing on", Goal("<=", 150, "MB"))
WAYS = {
    "all": dict.fromkeys(STAGES, 50.0),
    "off": dict.fromkeys(STAGES, 5.0) | {"language": 0.0, "topics": 0.0},
}


def report(date: str = "2026-11-21 09:30", commit: str = "0123abcd", *figures: Figure) -> Report:
    return Report(
        date=date,
        commit=commit,
        machine={"cpu": "Abacus <2>", "cores": "2"},
        libraries={"orjson": "3.13.0"},
        log="1,000 lines",
        figures=[*figures] or [FASTER, LIGHTER],
        stages=WAYS,
        floor=40.0,
        lines=[100, 200, 400, 1000],
        seconds=[0.1, 0.2, 0.41, 1.02],
    )


def test_a_figure_is_the_median_of_its_pairs_and_tells_their_range() -> None:
    assert (FASTER.value, FASTER.baseline, FASTER.ratio, FASTER.spread) == (1000, 10, 160, (90, 200))
    row = "| Lines | 1,000 lines/s | 10 lines/s, the others | 160 (90 to 200) | >= 150 (met) |"
    assert FASTER.row() == row


def test_a_goal_with_a_unit_is_for_the_value_and_one_without_for_the_ratio() -> None:
    assert LIGHTER.row() == "| Peak | 120 MB | 30 MB, nothing on | 4.02 | <= 150 MB (met) |"
    missed = figure("Growth", "s", [(10.6, 1)], "a tenth", Goal("<=", 10.5))
    assert missed.met is False
    assert missed.row().endswith("| <= 10.5 (**missed**) |")
    assert figure("Speed", "lines/s", [(2, 1)], "before").row().endswith("| 2 |  |")


@pytest.mark.parametrize(
    ("value", "text"), [(0.01234, "0.0123"), (9.5, "9.5"), (99.96, "100"), (1234.5, "1,234"), (0, "0")]
)
def test_a_number_has_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_the_99th_percentile_is_a_value_that_99_of_100_do_not_exceed() -> None:
    values = [float(value) for value in range(1, 301)]
    assert [percentile(reversed(values), percent) for percent in (50, 99, 100)] == [150, 297, 300]
    assert percentile([7.0], 99) == 7


def test_things_are_measured_in_turn_after_a_warm_up() -> None:
    calls: list[str] = []

    def call(name: str) -> int:
        calls.append(name)
        return len(calls)

    assert in_turn(2, lambda: call("ours"), lambda: call("theirs")) == [(3, 4), (5, 6)]
    assert calls == ["ours", "theirs"] * 3


def test_runs_are_kept_by_date_and_commit_and_stand_side_by_side(tmp_path: Path) -> None:
    slow = replace(FASTER, ratio=40.0)
    history.keep(report("2026-11-21 08:00", "cccccccc", slow), tmp_path)
    history.keep(report("2026-11-21 09:30", "bbbbbbbb+"), tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "2026-11-21-bbbbbbbb+.json",
        "2026-11-21-cccccccc.json",
        "latest.md",
    ]
    text = (tmp_path / "latest.md").read_text("utf-8")
    assert FASTER.row() in text
    assert "| Lines | 40 | 160 | >= 150 |" in text
    assert "| Peak |  | 120 MB | <= 150 MB |" in text


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    history.keep(report(), tmp_path)
    assert Report.read(tmp_path / "2026-11-21-0123abcd.json") == report()
    assert "## Runs" not in (tmp_path / "latest.md").read_text("utf-8")


def test_the_chart_is_the_same_for_the_same_report_and_shows_what_it_has() -> None:
    picture = chart(report())
    assert picture == chart(report())
    assert picture != chart(report("2026-11-22 09:30"))
    words = [element.text for element in ElementTree.fromstring(picture).iter() if element.text]
    assert {"all", "off", "500 µs", "25,000 lines/s a core", "10.20 ×", "1,000"} <= set(words)
    assert "language: 50.0 µs" in words


def test_the_bars_of_the_chart_are_as_long_as_their_times() -> None:
    rectangles = [
        rectangle
        for rectangle in ElementTree.fromstring(chart(report())).iter("{http://www.w3.org/2000/svg}rect")
        if rectangle.find("{http://www.w3.org/2000/svg}title") is not None
    ]
    widths = [float(rectangle.attrib["width"]) + GAP_INSIDE for rectangle in rectangles]
    everything, off = sum(widths[:7]), sum(widths[7:])
    assert len(widths) == 7 + 5
    assert everything / off == pytest.approx(500 / 40, rel=0.01)


@pytest.mark.parametrize(
    ("most", "expected"),
    [(10.2, [0, 5, 10]), (1.02, [0, 0.5, 1]), (4.9, [0, 1, 2, 3, 4]), (0.09, [0, 0.02, 0.04, 0.06, 0.08])],
)
def test_ticks_are_round(most: float, expected: list[float]) -> None:
    assert ticks(most) == expected


def test_a_sample_of_a_log_is_always_the_same(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"".join(b"%d\n" % line for line in range(1000)))
    lines = sampled(log, 20)
    assert lines == sampled(log, 20)
    assert len(set(lines)) == 20
    assert lines == sorted(lines, key=int)


def test_the_reference_looks_at_the_texts_that_ours_looks_at() -> None:
    compared: Counter[str] = Counter()
    for raw in [*Generator(11, "production").lines(300), *SAMPLE_LINES]:
        talk = conversation(raw)
        if talk is None:
            continue
        (event,) = decode(Line(raw, "log", 1))
        understand(event)
        assert event.exchange is not None
        texts = event.exchange.texts()
        assert (talk.asked, talk.answer) == (texts.request, "\n\n".join(texts.answer))
        compared[talk.kind] += 1
    assert min(compared[kind] for kind in ("chat", "embeddings", "responses", "anthropic")) > 10


def test_the_log_of_the_benchmark_has_the_shape_of_production() -> None:
    shape = shape_of(Generator(1, "production").lines(1500))
    sizes = {kind: sum(sizes) / len(sizes) for kind, sizes in shape.sizes.items()}
    assert 60_000 < sizes["chat, streamed"] < 74_000
    assert 3.5 < sizes["chat, streamed"] / sizes["chat, whole"] < 4.5
    streamed = len(shape.sizes["chat, streamed"])
    assert 0.65 < streamed / len(shape.histories) < 0.75
    assert set(shape.histories) == set(range(1, 8))
    assert 1800 < sum(map(len, shape.answers)) / len(shape.answers) < 2200
    assert {"embeddings", "responses", "anthropic", "mcp", "rating", "route", "other"} <= set(shape.sizes)


def test_neither_its_questions_nor_its_answers_repeat() -> None:
    shape = shape_of(Generator(1, "production").lines(1500))
    assert repeated(text[:200] for text in [*shape.questions, *shape.answers]) < 0.001
    table = dict(rows(shape))
    for name in ("questions", "answers"):
        assert float(table[f"sentences of {name} that came before"].rstrip("%")) < 5


def test_every_stage_that_works_takes_time(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"".join(SAMPLE_LINES) * 40)
    found = times(log, scope=Scope.OFF)
    assert 0 < found.lines < 40 * len(SAMPLE_LINES)
    assert {stage for stage, spent in found.stages.items() if spent == 0} == {"language", "topics"}


def test_memory_is_added_up_over_children() -> None:
    child = "data = bytearray(b'x' * 60_000_000); import time; time.sleep(2)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    peak = watched([sys.executable, "-c", parent])
    assert peak.rss >= peak.pss > 60_000_000
