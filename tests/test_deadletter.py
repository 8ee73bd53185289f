"""Dead letters: what they tell without a text, how long their file grows, and that each is a line."""

import json
import os
import stat
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from dial_enricher import pricing
from dial_enricher.errors import Code, SinkDown
from dial_enricher.event import Event, Exchange, Fault, Line, Log, Point, Usage
from dial_enricher.points import MAX_STRING_BYTES
from dial_enricher.sinks.deadletter import DeadLetters
from tests.letters import SOURCE, ended
from tests.support import Json, changed, line, log

ONE = line(log())
IDS: Json = {
    "project_id": "project-1",
    "title": "Engineer",
    "user_hash": "hash-1",
    "chat_id": "chat-1",
    "deployment": "gpt",
    "parent_deployment": "app",
    "execution_path": "app/gpt",
    "trace_id": "t" * 32,
    "core_span_id": "s" * 16,
    "core_parent_span_id": "p" * 16,
    "upstream": "https://upstream.example/gpt",
    "operation_duration_ms": 120,
}
USUAL = {"code", "stage", "detail", "source", "line", "length", "sha256"}
FAULT = Fault(Code.INTERNAL, "test", "a test")


def dead(number: int = 1, raw: bytes = b"?", **more: Any) -> Event:
    return Event(raw, Line(raw, SOURCE, number), fault=FAULT, **more)


def only(data: bytes, **how: Any) -> Json:
    (letter,) = ended(data, **how).letters
    return letter


def bury(file: Path, *events: Event, **how: Any) -> None:
    graves = DeadLetters(str(file), **how)
    try:
        graves.bury(events)
    finally:
        assert graves._fd is not None
        os.close(graves._fd)


def read(file: Path) -> list[Json]:
    return [json.loads(one) for one in file.read_bytes().splitlines()]


def recorded(tmp_path: Path, event: Event) -> Any:
    bury(tmp_path / "dead", event)
    return read(tmp_path / "dead")[-1].get("record")


# What a letter tells


def test_a_line_that_was_not_understood_leaves_no_more_than_its_digest() -> None:
    letter = only(b'{"title":"secret"}\n')
    assert letter.keys() == USUAL
    assert letter["sha256"] == sha256(b'{"title":"secret"}').hexdigest()


def test_a_request_without_a_usable_time_is_told_by_its_columns() -> None:
    letter = only(line(changed(log(), "request.time", "2500-01-01")))
    assert letter.keys() == USUAL | {"record"}
    assert letter["record"] == IDS | {
        "measurement": "analytics",
        "model": "gpt",
        "response_id": "answer-1",
        "number_request_messages": 0,
        "prompt_tokens": 22,
        "completion_tokens": 3,
        "price": 0.5,
        "deployment_price": 0.25,
    }


def test_columns_that_are_not_known_are_not_told() -> None:
    record = changed(changed(log(), "request.time", None), "user.title", "")
    del record["trace"], record["token_usage"], record["project"]
    told = only(line(record))["record"]
    assert not {"title", "trace_id", "project_id", "prompt_tokens", "language"} & told.keys()
    assert told["user_hash"] == "hash-1"
    assert None not in told.values()


def test_a_request_without_status_is_told_by_what_the_log_names() -> None:
    letter = only(line(changed(log(), "response.status", "")))
    assert (letter["code"], letter["stage"]) == ("missing_field", "understand")
    assert letter["record"] == IDS


def test_a_request_of_which_nothing_is_known_has_no_record() -> None:
    assert only(line({"request": {"uri": "/v1/toolset/x/mcp"}})).keys() == USUAL


@pytest.mark.parametrize("with_content", [False, True])
def test_what_could_not_be_delivered_is_told_by_its_points(with_content: bool) -> None:
    letter = only(ONE, reachable=False, with_content=with_content)
    assert letter.keys() == USUAL | {"points"} | ({"content"} if with_content else set())
    assert letter["points"] == [ended(ONE).out.decode()[:-1]]
    assert letter.get("content", ONE[:-1].decode()) == ONE[:-1].decode()


def test_points_of_which_some_were_not_rendered_are_not_told(tmp_path: Path) -> None:
    """Else a replay would write some of the points of a record, and nobody would miss the others."""
    points = [Point("mcp_analytics", {}, {"a": 1}, 0)] * 2
    half = dead(points=points, output=[b"mcp_analytics a=1i 0\n"], exchange=Exchange("mcp_analytics", {}))
    bury(tmp_path / "dead", half)
    (letter,) = read(tmp_path / "dead")
    assert "points" not in letter
    assert letter["record"] == {"measurement": "mcp_analytics"}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("a\x00b\x9b\nc", "a b  c"),
        ("\ud83d", "\ufffd"),
        ("ü" * MAX_STRING_BYTES, "ü" * (MAX_STRING_BYTES // 2)),
        (10**30, 2**63 - 1),
        (-(10**30), -(10**30)),
        (0, 0),
        (0.0, 0.0),
        (1e300, 1e300),
    ],
)
def test_a_value_is_told_as_a_point_would_hold_it(value: Any, told: Any, tmp_path: Path) -> None:
    event = dead(exchange=Exchange("analytics", {"title": value}))
    assert recorded(tmp_path, event) == {"measurement": "analytics", "title": told}


@pytest.mark.parametrize("value", [None, "", True, {"a": "b"}, ["a"], b"a", object(), Usage()])
def test_a_value_that_no_column_can_hold_is_not_told(value: Any, tmp_path: Path) -> None:
    event = dead(exchange=Exchange("analytics", {"title": value, "topic": "x"}))
    assert recorded(tmp_path, event) == {"measurement": "analytics", "topic": "x"}


def test_a_log_of_nonsense_has_a_letter(tmp_path: Path) -> None:
    data = {"user": 5, "project": ["x"], "chat": {"id": {"a": "b"}}, "operation_duration_ms": float("nan")}
    more = {"execution_path": [None, {"a": "b"}], "trace": {"trace_id": 10**30}}
    event = dead(log=Log(data | more, b"", "/"))
    assert recorded(tmp_path, event) == {"execution_path": "undefined/undefined", "trace_id": str(10**30)}
    assert event.log is not None and not event.log.notes


def test_what_a_column_of_the_wrong_type_kills_has_a_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bug that an event died of must not kill the program when its letter is written."""

    def spoil(self: pricing.Pricing, event: Event) -> None:
        assert event.exchange is not None
        event.exchange.columns["title"] = {"a": "b"}

    monkeypatch.setattr(pricing.Pricing, "price", spoil)
    letter = only(ONE)
    assert (letter["code"], letter["stage"]) == ("internal", "point")
    assert "title" not in letter["record"]
    assert letter["record"]["project_id"] == "project-1"


def test_a_source_that_is_no_text_of_unicode_has_a_letter(tmp_path: Path) -> None:
    bury(tmp_path / "dead", Event(b"?", Line(b"?", "a\udcff", 1), fault=FAULT))
    assert read(tmp_path / "dead")[0]["source"] == "a\udcff"


# How long the file may grow


def size_of(count: int, file: Path) -> int:
    """Bytes of the first letters."""
    bury(file, *(dead(number) for number in range(1, count + 1)))
    return file.stat().st_size


@pytest.mark.parametrize("spare", [0, 1])
def test_a_file_takes_what_fits_and_then_says_so(spare: int, tmp_path: Path) -> None:
    limit = size_of(3, tmp_path / "measure") + spare
    file = tmp_path / "dead"
    with pytest.raises(SinkDown) as caught:
        bury(file, *(dead(number) for number in range(1, 6)), max_bytes=limit)
    assert [letter["line"] for letter in read(file)] == [1, 2, 3]
    assert file.stat().st_size == limit - spare
    for told in (str(file), "--dead-letter-max", str(limit), "move it away"):
        assert told in str(caught.value)


def test_a_file_that_is_full_to_the_last_byte_is_no_trouble(tmp_path: Path) -> None:
    limit = size_of(3, tmp_path / "measure")
    bury(tmp_path / "dead", *(dead(number) for number in (1, 2, 3)), max_bytes=limit)
    assert (tmp_path / "dead").stat().st_size == limit


def test_what_the_file_held_before_counts(tmp_path: Path) -> None:
    file = tmp_path / "dead"
    limit = size_of(2, file)
    bury(file, max_bytes=limit)
    with pytest.raises(SinkDown, match="is full"):
        bury(file, dead(3), max_bytes=limit)
    with pytest.raises(SinkDown, match="is full"):
        bury(file, dead(3), max_bytes=5)
    assert [letter["line"] for letter in read(file)] == [1, 2]


def test_a_letter_behind_one_that_did_not_fit_is_not_written(tmp_path: Path) -> None:
    """Letters stand in the order of the records, without a gap."""
    file = tmp_path / "dead"
    large = dead(2, raw=b"x" * 1000)
    with pytest.raises(SinkDown):
        bury(file, dead(1), large, dead(3), with_content=True, max_bytes=900)
    assert [letter["line"] for letter in read(file)] == [1]


def test_a_file_that_somebody_else_writes_too_stays_below_the_limit(tmp_path: Path) -> None:
    limit = size_of(3, tmp_path / "measure")
    file = tmp_path / "dead"
    one, other = (DeadLetters(str(file), max_bytes=limit) for _ in range(2))
    one.bury([dead(1)])
    other.bury([dead(2)])
    one.bury([dead(3)])
    with pytest.raises(SinkDown):
        other.bury([dead(4)])
    assert [letter["line"] for letter in read(file)] == [1, 2, 3]
    for graves in (one, other):
        assert graves._fd is not None
        os.close(graves._fd)


def test_what_is_no_regular_file_has_no_limit(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(fifo.read_bytes()))
    reader.start()
    bury(fifo, dead(1), dead(2), max_bytes=5)
    reader.join(60)
    assert [json.loads(one)["line"] for one in found[0].splitlines()] == [1, 2]
    bury(Path("/dev/null"), dead(1), max_bytes=5)


def test_standard_error_has_no_limit(capfd: pytest.CaptureFixture[str]) -> None:
    DeadLetters("-", max_bytes=5).bury([dead(1), dead(2)])
    assert stat.S_ISREG(os.fstat(2).st_mode), "it is a file here, and has none all the same"
    told = [json.loads(one) for one in capfd.readouterr().err.splitlines() if one.startswith("{")]
    assert [letter["line"] for letter in told] == [1, 2]


# A file that somebody moves away


@pytest.mark.parametrize("gone", ["moved", "deleted", "replaced"])
def test_a_file_that_is_gone_is_begun_anew(gone: str, tmp_path: Path) -> None:
    file, moved = tmp_path / "dead", tmp_path / "moved"
    graves = DeadLetters(str(file))
    graves.bury([dead(1)])
    if gone == "deleted":
        file.unlink()
    else:
        file.rename(moved)
    if gone == "replaced":
        bury(file, dead(7))
    graves.bury([dead(2)])
    graves.bury([dead(3)])
    assert graves._fd is not None
    os.close(graves._fd)
    assert [letter["line"] for letter in read(file)] == ([7, 2, 3] if gone == "replaced" else [2, 3])
    if gone != "deleted":
        assert [letter["line"] for letter in read(moved)] == [1]


def test_a_directory_that_is_gone_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "letters" / "dead"
    file.parent.mkdir()
    graves = DeadLetters(str(file))
    file.unlink()
    file.parent.rmdir()
    with pytest.raises(SinkDown, match="cannot open the dead-letter file"):
        graves.bury([dead(1)])


# A file whose last line is not finished


@pytest.mark.parametrize("before", [b'{"time":"20', b'{"code":"x"}', b'{"a":1}\n{"time"', b"\0"])
def test_a_letter_is_not_glued_to_half_a_letter(before: bytes, tmp_path: Path) -> None:
    file = tmp_path / "dead"
    file.write_bytes(before)
    graves = DeadLetters(str(file))
    assert file.read_bytes() == before, "nothing is written before there is something to write"
    graves.bury([dead(1)])
    graves.bury([dead(2)])
    assert graves._fd is not None
    os.close(graves._fd)
    assert file.read_bytes().startswith(before + b"\n{")
    letters = file.read_bytes()[len(before) + 1 :].splitlines()
    assert [json.loads(one)["line"] for one in letters] == [1, 2]


@pytest.mark.parametrize("before", [b"", b"\n", b'{"code":"x"}\n'])
def test_nothing_comes_between_letters_that_are_whole(before: bytes, tmp_path: Path) -> None:
    file = tmp_path / "dead"
    file.write_bytes(before)
    bury(file, dead(1))
    assert file.read_bytes().startswith(before + b"{")


def test_the_newline_behind_half_a_letter_counts(tmp_path: Path) -> None:
    limit = size_of(1, tmp_path / "measure") + 1
    file = tmp_path / "dead"
    file.write_bytes(b"{")
    with pytest.raises(SinkDown):
        bury(file, dead(1), max_bytes=limit)
    assert file.read_bytes() == b"{"
    bury(file, dead(1), max_bytes=limit + 1)
    assert file.stat().st_size == limit + 1


def test_a_file_that_may_only_be_written_gets_a_line_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise PermissionError

    file = tmp_path / "dead"
    file.write_bytes(b'{"code":"x"}\n')
    monkeypatch.setattr("builtins.open", refuse)
    graves = DeadLetters(str(file))
    monkeypatch.undo()
    graves.bury([dead(1)])
    assert graves._fd is not None
    os.close(graves._fd)
    assert file.read_bytes().startswith(b'{"code":"x"}\n\n{')
