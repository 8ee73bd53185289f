"""`dial-enricher doctor`: each check, what it says when something is wrong, and what it never says."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from dial_enricher import doctor_cli
from dial_enricher.doctor import CHECKS, Case, Level, examine
from dial_enricher.doctor.finding import Said
from dial_enricher.settings import Settings
from tests import tiny_model
from tests.canaries import Canaries
from tests.doctoring import TO_INFLUX, Report, doctor, plain
from tests.influxd import PASSWORD
from tests.packing import PACKERS
from tests.support import PLAIN, PLAIN_SETTINGS, SAMPLE, changed, line, log, run
from tests.test_privacy import check_silent

RATE = {"unit": "token", "prompt_price": "0.5"}


# Settings and what they load


def test_all_is_well() -> None:
    report = plain()
    assert report.code == 0
    assert report.names == ["settings", "rates", "language", "topics", "files", "dead letters", "clock"]
    assert {finding.level for finding in report.findings} == {Level.OK}
    report.check("settings", "ok", "to stdout as lp, schema dial")
    report.check("rates", "ok", "none: prices are those in the log")
    report.check("language", "ok", "off")
    report.check("topics", "ok", "off")
    report.check("files", "ok", "standard input, not read")
    report.check("clock", "ok", "UTC")


def test_the_settings_are_told() -> None:
    report = plain("--schema", "lean", "--tag", "upstream", "--format", "json")
    report.check("settings", "ok", "as json, schema lean, changed by --tag")


@pytest.mark.parametrize(
    ("arguments", "env", "part"),
    [
        (("--to", "influxdb"), {}, "INFLUX_URL"),
        (("--to", "influxdb"), {"INFLUX_URL": "http://127.0.0.1:1"}, "INFLUX_DATABASE"),
        (("--to", "influxdb"), {"INFLUX_URL": f"http://u:{PASSWORD}@h:1"}, "must hold no password"),
        (("--dead-letter-content",), {}, "--dead-letter FILE"),
        (("--tag", "nonsense"), {}, "--tag nonsense: no such column"),
    ],
)
def test_a_wrong_setting_stops_no_other_check(
    arguments: tuple[str, ...], env: Mapping[str, str], part: str, tmp_path: Path
) -> None:
    report = plain(*arguments, tmp_path / "missing.log", env=env)
    assert report.code == 2
    report.check("settings", "FAIL", part)
    report.check("files", "FAIL", f"no file is named {tmp_path / 'missing.log'}")
    assert report.names[-2:] == ["dead letters", "clock"]


def test_a_wrong_option_is_refused_as_by_enrich() -> None:
    done = run("doctor", "--to", "nowhere")
    assert (done.code, done.out) == (2, b"")
    assert "Traceback" not in done.err


def test_rates(tmp_path: Path) -> None:
    file = tmp_path / "rates.json"
    file.write_text(json.dumps({"a": RATE, "b": RATE}))
    plain("--rates", file).check("rates", "ok", f"2 models, from {file}")
    plain(env={"MODEL_RATES": json.dumps({"a": RATE})}).check("rates", "ok", "1 model, from MODEL_RATES")


def test_broken_rates_stop_no_other_check(tmp_path: Path) -> None:
    env = {"INFLUX_URL": "http://127.0.0.1:1", "INFLUX_DATABASE": "d", "MODEL_RATES": '{"a": 1}'}
    report = doctor(*TO_INFLUX, env=env)
    assert report.code == 2
    report.check("settings", "ok", "to influxdb")
    report.check("rates", "FAIL", "MODEL_RATES: the rate of 'a'")
    report.check("server", "FAIL")
    file = tmp_path / "rates.json"
    file.write_text("[")
    plain("--rates", file).check("rates", "FAIL", str(file))


def test_language() -> None:
    few = doctor("--languages", "en,de,EN", "--topics", "off")
    few.check("language", "ok", "2 languages, accuracy low")
    assert few.code == 0
    doctor("--topics", "off").check("language", "ok", "75 languages")
    doctor("--languages", "de,uk", "--topics", "off").check("language", "ok", "2 languages")
    wrong = doctor("--languages", "xx", "--topics", "off")
    wrong.check("language", "FAIL", "'xx' is not one of")
    assert wrong.code == 1


def test_an_engine_that_recognises_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dial_enricher.enrich.language.LIKELY", 2.0)
    findings = {finding.name: finding for finding in examine(Case(Settings(languages=("en", "de"))))}
    assert findings["language"].level is Level.FAIL


def test_topics(tmp_path: Path) -> None:
    model = tiny_model.write(tmp_path / "model")
    found = doctor("--language", "off", "--topic-model", model)
    found.check("topics", "ok", f"4 topics, from {model}; the topic of a trial is ")
    assert found.code == 0
    (model / "topics.json").write_text("{")
    broken = doctor("--language", "off", "--topic-model", model)
    broken.check("topics", "FAIL", str(model / "topics.json"))
    assert broken.code == 1
    doctor("--language", "off", "--topic-model", "/missing/model").check("topics", "FAIL", "no such folder")


def test_no_topic_model_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dial_enricher.topics.find.at_hand", lambda: None)
    findings = {finding.name: finding for finding in examine(Case(Settings(languages=("en", "de"))))}
    assert findings["topics"].level is Level.WARN
    assert "TOPIC_MODEL" in findings["topics"].words


# Files


def judged(directory: Path, content: bytes, *arguments: str) -> Report:
    file = directory / "dial.log"
    file.write_bytes(content)
    report = plain(*arguments, file)
    report.check_code()
    return report


def test_a_good_log(tmp_path: Path) -> None:
    report = judged(tmp_path, line(log()) * 3)
    report.check("files", "ok", str(tmp_path / "dial.log"), "first 3 lines: 3 records, 3 usable")


def test_only_the_first_lines_are_looked_at(tmp_path: Path) -> None:
    report = judged(tmp_path, line(log()) * 100 + b"no json\n")
    report.check("files", "ok", "first 100 lines: 100 records, 100 usable")


def test_a_log_with_dead_lines(tmp_path: Path) -> None:
    other = line(changed(log(), "request.uri", "/v1/files/secret/name.pdf"))
    timeless = line(changed(log(), "request.time", "yesterday"))
    report = judged(tmp_path, line(log()) + b"no json\n\n" + other + timeless)
    counts = ("5 records, 1 usable, 2 dead (", "invalid_json 1", "2 ignored (/v1/files/{id} 1, blank 1)")
    report.check("files", "warn", *counts, "--dead-letter")
    assert "secret" not in report.text


@pytest.mark.parametrize(
    ("content", "level", "part"),
    [
        (b"", "ok", "empty"),
        (b"text\nand more\n", "FAIL", "first 2 lines: 2 records, 0 usable, 2 dead (invalid_json 2)"),
        (b"\n\n", "warn", "nothing of that becomes a point"),
        (b"\x1f\x8b\x08 and so on", "FAIL", "is damaged: its gzip data ends too early"),
        (PACKERS["zstd"](b"\n\n"), "warn", "bytes, zstd, first 2 lines"),
    ],
)
def test_a_file_without_records(content: bytes, level: str, part: str, tmp_path: Path) -> None:
    judged(tmp_path, content).check("files", level, part)


def test_a_line_that_is_too_long(tmp_path: Path) -> None:
    judged(tmp_path, line(log()), "--max-line-bytes", "10").check("files", "FAIL", "line_too_long 1")


@pytest.mark.parametrize("flag", ["--follow", "--checkpoint"])
def test_packed_files_are_not_remembered(flag: str, tmp_path: Path) -> None:
    state = [str(tmp_path / "state")] if flag == "--checkpoint" else []
    report = judged(tmp_path, PACKERS["xz"](line(log())), flag, *state)
    report.check("files", "FAIL", "is packed (xz); --output DIRECTORY remembers")


def test_directories_and_urls(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.log").write_bytes(PACKERS["gzip"](line(log())))
    plain(tmp_path).check("files", "FAIL", "holds no file; --recursive reads")
    plain("--recursive", tmp_path).check("files", "ok", "a.log: ", "gzip, first 1 line: 1 record, 1 usable")
    plain(f"file://{tmp_path}/deep").check("files", "ok", "deep/a.log: is there, not read")
    plain("s3://bucket/x").check("files", "FAIL", "pip install")


def test_each_file_has_its_line(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    report = plain("-", SAMPLE, tmp_path / "missing", tmp_path, pipe)
    said = [finding for finding in report.findings if finding.name == "files"]
    assert [finding.level for finding in said] == ["ok", "warn", "FAIL", "FAIL", "ok"]
    assert "not read" in said[-1].words
    assert report.code == 1


def test_no_text_of_a_log_gets_out(tmp_path: Path) -> None:
    canaries = Canaries()
    for number, one in enumerate([*canaries.good_lines(), *canaries.dead_lines()]):
        (tmp_path / f"{number}.log").write_bytes(one)
    report = doctor("--languages", "en,de", "--topics", "off", *sorted(tmp_path.iterdir()))
    assert "dead" in report.text
    check_silent(report.text)


def test_a_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    report = plain(tmp_path / "\x1b[31mred\nok    settings")
    assert "\x1b" not in report.text
    report.check("files", "FAIL", "[31mred\ufffdok settings")


def test_a_record_of_the_future(tmp_path: Path) -> None:
    late = line(changed(log(), "request.time", "2250-01-01T00:00:00"))
    report = judged(tmp_path, late + line(log()))
    report.check("clock", "warn", "behind the newest record")


# What is written besides


def test_dead_letters(tmp_path: Path) -> None:
    file = tmp_path / "letters"
    report = plain("--dead-letter", file)
    report.check("dead letters", "ok", f"appended to {file}")
    assert not file.exists()
    file.write_bytes(b"x" * 90)
    plain("--dead-letter", file).check("dead letters", "ok")
    full = plain("--dead-letter", file, "--dead-letter-max", "100")
    full.check("dead letters", "warn", "90 of 100 bytes", "--dead-letter-max")
    assert full.code == 0
    plain("--dead-letter", file, "--dead-letter-content").check(
        "dead letters", "ok", "the text of the records"
    )
    plain("--dead-letter", "-").check("dead letters", "ok", "standard error")
    assert file.read_bytes() == b"x" * 90


def test_dead_letters_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place, part in (
        ("no/letters", "no such directory"),
        ("file/letters", "directory"),
    ):
        report = plain("--dead-letter", tmp_path / place)
        report.check("dead letters", "FAIL", part, "name another file")
        assert report.code == 1


def test_a_directory_that_may_not_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write everywhere, so that the answer is given for it."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    findings = list(examine(Case(replace(PLAIN_SETTINGS, dead_letter=str(tmp_path / "letters")))))
    (found,) = [finding for finding in findings if finding.name == "dead letters"]
    assert found.level is Level.FAIL
    assert "may not be written to" in found.words


def test_dead_letters_that_would_be_read(tmp_path: Path) -> None:
    file = tmp_path / "letters"
    file.write_bytes(line(log()))
    plain("--dead-letter", file, file).check("dead letters", "FAIL", "is being read")


def test_the_log_file(tmp_path: Path) -> None:
    file = tmp_path / "messages"
    plain("--log-file", file).check("log file", "ok", str(file))
    assert not file.exists()
    plain("--log-file", tmp_path / "no" / "messages").check("log file", "FAIL", "no such directory")


def test_the_summary_file(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    plain("--summary-file", file).check("summary file", "ok", str(file))
    assert not file.exists()
    report = plain("--summary-file", tmp_path / "no" / "summary")
    report.check("summary file", "FAIL", "there is no directory")


def test_files_are_looked_at_whatever_part_is_wanted(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_bytes(line(log()))
    selection = ("--since", "2100-01-01", "--where", "deployment=other")
    plain(*selection, file).check("files", "ok", "1 record, 1 usable")
    plain("--where", "price=0", file).check("settings", "FAIL", "price is only known after enriching")


# The frame


def test_a_check_that_breaks_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(case: Case) -> Said:
        raise ValueError("a text of the log")

    monkeypatch.setitem(CHECKS, "rates", broken)
    findings = list(examine(Case(PLAIN_SETTINGS)))
    (found,) = [finding for finding in findings if finding.name == "rates"]
    assert found.level is Level.FAIL
    assert "ValueError at test_doctor.py" in found.words
    assert "a text" not in found.words
    assert findings[-1].name == "clock"


def test_the_columns_have_room_for_every_check() -> None:
    assert max(map(len, CHECKS)) == 12, "the tests read the lines by their columns"
    assert set(doctor_cli._OF_SETTINGS) <= set(CHECKS)


def test_the_reader_of_the_report_may_leave() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = run("doctor", *PLAIN, stdout=writing)
    os.close(writing)
    assert (done.code, done.err) == (141, "")


def test_a_report_that_cannot_be_written() -> None:
    with open("/dev/full", "wb") as full:
        done = run("doctor", *PLAIN, stdout=full)
    assert done.code == 1
    assert done.err == "Error: cannot write to standard output: No space left on device\n"
