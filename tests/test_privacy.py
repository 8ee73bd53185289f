"""No text of a conversation gets out: canaries are planted everywhere, and none may be heard."""

import json
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from dial_enricher import replay, usage
from dial_enricher.settings import Scope, Settings
from tests import tiny_model
from tests.canaries import WORD, Canaries
from tests.letters import ended
from tests.support import PLAIN, Done, line, log, run, through

CANARIES = Canaries()
GOOD = b"".join(CANARIES.good_lines())
DEAD = b"".join(CANARIES.dead_lines())
EVERYTHING = GOOD + DEAD
RATES = json.dumps({"gpt": {"unit": "char_without_whitespace", "prompt_price": "1", "completion_price": "1"}})
READING = ("--language", "all", "--languages", "en,de")
"""So that the texts are looked at; the character rates look at them too."""


@pytest.fixture(scope="module")
def topic_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.write(tmp_path_factory.mktemp("canaries") / "model", min_similarity=None)


def check_silent(*outputs: bytes | str) -> None:
    for output in outputs:
        text = output if isinstance(output, str) else output.decode()
        assert re.findall(f"(?i).{{0,60}}{WORD[3:]}.{{0,30}}", text)[:5] == []


def enriched(*arguments: str | Path) -> Done:
    done = run(*arguments, "--summary", "always", stdin=EVERYTHING, env={"MODEL_RATES": RATES})
    assert done.code == 0
    assert len(done.lines) > 300
    return done


@pytest.mark.parametrize("form", ["lp", "json"])
@pytest.mark.parametrize("log_format", ["text", "telegraf", "json"])
def test_neither_points_nor_messages_hold_a_text(form: str, log_format: str, topic_model: Path) -> None:
    reading = (*READING, "--topics", "all", "--topic-model", topic_model)
    done = enriched("--format", form, "--log-format", log_format, "--log-level", "debug", *reading)
    check_silent(done.out, done.err)
    assert "dead" in done.err
    assert b"song_guitar" in done.out


def test_the_fault_of_every_line_is_silent() -> None:
    """One by one: messages that repeat themselves are held back, and would hide what they say."""
    faults = through(EVERYTHING).faults
    assert len(faults) >= DEAD.count(b"\n")
    check_silent(*(f"{fault.code} {fault.stage} {fault.detail}" for fault in faults))


def test_neither_log_file_nor_dead_letters_hold_a_text(tmp_path: Path) -> None:
    log_file, letters = tmp_path / "log", tmp_path / "letters"
    done = enriched(*PLAIN, "--log-level", "debug", "--log-file", log_file, "--dead-letter", letters)
    check_silent(done.out, done.err, log_file.read_bytes(), letters.read_bytes())
    assert "dead: " in log_file.read_text()
    assert len(letters.read_bytes().splitlines()) >= DEAD.count(b"\n")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_neither_summary_file_nor_progress_hold_a_text(log_format: str, tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    done = enriched(*PLAIN, "--summary-file", summary, "--progress", "always", "--log-format", log_format)
    check_silent(done.err, summary.read_bytes())
    assert "progress: " in done.err
    assert json.loads(summary.read_bytes())["dead"] >= DEAD.count(b"\n")


def test_what_is_selected_by_is_not_told() -> None:
    done = run(*PLAIN, "--where", "title=nobody", "--log-level", "debug", stdin=EVERYTHING)
    check_silent(done.out, done.err)
    assert (done.code, done.out) == (0, b"")
    assert "not_selected" in done.err


def test_dead_letters_on_standard_error_hold_no_text() -> None:
    done = enriched(*PLAIN, "--dead-letter", "-")
    check_silent(done.out, done.err)
    assert done.err.count('"sha256"') >= DEAD.count(b"\n")


def test_what_dies_late_is_told_by_columns_that_hold_no_text() -> None:
    """With everything understood, but at a time that cannot be stored."""
    late = ended(GOOD.replace(b"2026-03-02T07:30", b"2500-03-02T07:30"))
    check_silent(late.dead)
    told = [letter["record"] for letter in late.letters if letter["code"] == "unserializable"]
    assert len(told) > 300
    assert sum(record.get("project_id") == "project-1" for record in told) > 300
    assert len({record["measurement"] for record in told}) == 7


def test_what_dies_before_it_is_understood_is_told_by_columns_that_hold_no_text() -> None:
    early = ended(GOOD.replace(b'"status', b'"state').replace(rb"\"status", rb"\"state"))
    check_silent(early.dead)
    told = [letter["record"] for letter in early.letters if letter["stage"] == "understand"]
    assert len(told) > 200
    assert all("measurement" not in record for record in told)


def test_what_could_not_be_delivered_is_told_by_points_that_hold_no_text() -> None:
    lost = ended(GOOD, reachable=False)
    check_silent(lost.dead)
    points = [point for letter in lost.letters for point in letter.get("points", [])]
    assert len(points) > 300
    check_silent(ended(lost.dead, decode=replay.decode).out)


def test_a_bug_leaves_letters_that_hold_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(data: Any, notes: Any) -> None:
        raise ValueError(f"cannot understand {data}")

    monkeypatch.setattr(usage, "of_core", stumble)
    spoiled = ended(GOOD)
    check_silent(spoiled.dead)
    assert sum(letter["code"] == "internal" for letter in spoiled.letters) > 200


def test_a_replay_of_what_is_no_letter_is_silent() -> None:
    letters = [json.dumps({"code": WORD, "sha256": WORD, "content": WORD, "points": [WORD]}).encode()]
    letters += [json.dumps({"code": "x", "sha256": "0" * 64, "points": [WORD]}).encode()]
    letters += [
        json.dumps({"code": "x", "sha256": "0" * 64, "record": {WORD: WORD}, "detail": WORD}).encode()
    ]
    spoiled = ended(EVERYTHING + b"\n".join(letters), decode=replay.decode)
    check_silent(spoiled.out, spoiled.dead)
    assert spoiled.stats.dead.total() == spoiled.stats.lines


def test_with_content_dead_letters_hold_the_texts_and_nothing_else_does(tmp_path: Path) -> None:
    log_file, letters = tmp_path / "log", tmp_path / "letters"
    options = ("--log-level", "debug", "--log-file", log_file, "--dead-letter", letters)
    done = run(*PLAIN, *options, "--dead-letter-content", "--summary", "always", stdin=DEAD)
    assert (done.code, done.out) == (0, b"")
    check_silent(done.err, log_file.read_bytes())
    found = [content(json.loads(letter)) for letter in letters.read_bytes().splitlines()]
    assert found == DEAD.splitlines()
    assert all(WORD.encode() in one for one in found)


def content(letter: dict[str, Any]) -> bytes:
    return b64decode(letter["content_base64"]) if "content_base64" in letter else letter["content"].encode()


def test_the_canaries_sing_where_they_may() -> None:
    """What a column shows is shown: else silence would prove nothing."""
    record = log("/v1/toolset/gpt/mcp", {"method": "tools/call", "params": {"name": WORD}})
    assert WORD.encode() in through(line(record)).out
    with pytest.raises(AssertionError):
        check_silent(through(line(record)).out)
    assert CANARIES.planted > 1000
    assert EVERYTHING.count(WORD.encode()) > 10_000


def test_a_bug_that_quotes_the_text_is_reported_without_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(data: Any, notes: Any) -> None:
        raise ValueError(f"cannot understand {data}")

    monkeypatch.setattr(usage, "of_core", stumble)
    outcome = through(GOOD.splitlines(keepends=True)[0])
    (fault,) = outcome.faults
    assert fault.code.value == "internal"
    assert "ValueError" in fault.detail
    check_silent(outcome.out, fault.detail, caplog.text)
    assert caplog.text


def test_an_enricher_that_stumbles_is_reported_without_the_text(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from dial_enricher.enrich.language import Language

    def stumble(self: Language, events: Any) -> None:
        raise ValueError(f"cannot understand {events}")

    monkeypatch.setattr(Language, "fill", stumble)
    first = GOOD.splitlines(keepends=True)[0]
    outcome = through(first, Settings(languages=("en", "de"), topics=Scope.OFF))
    assert outcome.out == through(first).out
    check_silent(outcome.out, caplog.text)
    assert "ValueError" in caplog.text


@pytest.mark.parametrize("method", ["labels", "_label"])
def test_a_topic_model_that_stumbles_is_counted_without_the_text(
    method: str, topic_model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from dial_enricher.topics.native import NativeModel

    def stumble(self: NativeModel, texts: Any) -> None:
        raise ValueError(f"cannot understand {texts}")

    monkeypatch.setattr(NativeModel, method, stumble)
    first = GOOD.splitlines(keepends=True)[0]
    outcome = through(first, Settings(language=Scope.OFF, topic_model=str(topic_model)))
    assert outcome.out == through(first).out
    assert outcome.stats.notes["topic_failed"] == 1
    check_silent(outcome.out, caplog.text)


def test_a_topic_enricher_that_stumbles_is_reported_without_the_text(
    topic_model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from dial_enricher.enrich.topic import Topic

    def stumble(self: Topic, events: Any) -> None:
        raise ValueError(f"cannot understand {events}")

    monkeypatch.setattr(Topic, "fill", stumble)
    first = GOOD.splitlines(keepends=True)[0]
    outcome = through(first, Settings(language=Scope.OFF, topic_model=str(topic_model)))
    assert outcome.out == through(first).out
    assert outcome.stats.notes["topic_failed"] == 1
    check_silent(outcome.out, caplog.text)
    assert "ValueError" in caplog.text
