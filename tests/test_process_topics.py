"""Real processes: which topic model is used, and what is told of it."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from dial_enricher import Enricher
from tests import lp, tiny_model
from tests.support import ROOT, SAMPLE_LINES, Done, changed, check_refused, line, log, run

QUESTIONS = {"Python bug": "Programming", "Bread and soup": "Food and drink", "Good luck": "undefined"}
DATA = b"".join(line(log(body={"messages": [{"role": "user", "content": text}]})) for text in QUESTIONS)
WITHOUT_CHAT = line(
    changed(log(body={"messages": [{"role": "user", "content": "Python bug"}]}), "chat", None)
)
TOLD = list(QUESTIONS.values())
QUIET = {"DIAL_ENRICHER_LANGUAGE": "off"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_model.write(tmp_path / "model")


@pytest.fixture
def alone(tmp_path: Path) -> dict[str, Any]:
    """The program where neither it nor the working directory has a model: an environment and a folder."""
    unwanted = shutil.ignore_patterns("topic_model", "__pycache__")
    shutil.copytree(ROOT / "dial_enricher", tmp_path / "alone" / "dial_enricher", ignore=unwanted)
    (tmp_path / "empty").mkdir()
    return {"env": QUIET | {"PYTHONPATH": str(tmp_path / "alone")}, "cwd": tmp_path / "empty"}


def topics(done: Done) -> list[str | None]:
    assert (done.code, done.err) == (0, "")
    return [lp.parse(one).tags.get("topic") for one in done.lines]


def test_a_model_is_named_by_option_or_variable_and_the_option_wins(folder: Path, tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(f"TOPIC_MODEL={folder}\n")
    other = QUIET | {"TOPIC_MODEL": "/not/there"}
    assert topics(run("--topic-model", folder, stdin=DATA, env=QUIET)) == TOLD
    assert topics(run(stdin=DATA, env=QUIET | {"TOPIC_MODEL": str(folder)})) == TOLD
    assert topics(run("--topic-model", folder, stdin=DATA, env=other)) == TOLD
    assert topics(run("--env-file", env_file, stdin=DATA, env=QUIET)) == TOLD
    check_refused(run("--env-file", env_file, stdin=DATA, env=other), "/not/there")


def test_the_embedding_is_named_by_option_or_variable(folder: Path, tmp_path: Path) -> None:
    other = shutil.copytree(folder, tmp_path / "embedding")
    (folder / "model.safetensors").unlink()
    named = ("--topic-embeddings-model", other)
    variable = {"TOPIC_EMBEDDINGS_MODEL": str(other)}
    assert topics(run("--topic-model", folder, *named, stdin=DATA, env=QUIET)) == TOLD
    assert topics(run("--topic-model", folder, stdin=DATA, env=QUIET | variable)) == TOLD
    wrong = QUIET | {"TOPIC_EMBEDDINGS_MODEL": "/not/there"}
    assert topics(run("--topic-model", folder, *named, stdin=DATA, env=wrong)) == TOLD


def test_no_topics_means_no_model(tmp_path: Path) -> None:
    done = run("--topics", "off", "--topic-model", "/not/there", stdin=DATA, env=QUIET)
    assert topics(done) == ["undefined"] * 3


def test_only_chats_unless_all_are_wanted(folder: Path) -> None:
    named = ("--topic-model", folder)
    assert topics(run(*named, stdin=WITHOUT_CHAT, env=QUIET)) == ["undefined"]
    assert topics(run("--topics", "all", *named, stdin=WITHOUT_CHAT, env=QUIET)) == ["Programming"]


def test_a_model_in_the_working_directory_is_found(folder: Path, alone: dict[str, Any]) -> None:
    shutil.copytree(folder, alone["cwd"] / "topic_model")
    assert topics(run(stdin=DATA, **alone)) == TOLD
    (alone["cwd"] / "topic_model" / "model.safetensors").write_bytes(b"")
    check_refused(run(stdin=DATA, **alone), "topic_model/model.safetensors")


@pytest.mark.parametrize("variables", [{}, {"TOPIC_MODEL": "", "TOPIC_EMBEDDINGS_MODEL": " "}])
def test_no_model_is_no_error_and_the_summary_says_so(
    alone: dict[str, Any], variables: dict[str, str]
) -> None:
    alone["env"] |= variables
    assert topics(run(stdin=DATA, **alone)) == ["undefined"] * 3
    done = run("--summary", "always", stdin=DATA, **alone)
    assert done.err.endswith("INFO lines=3 records=3 points=3 ignored=0 dead=0 (no topic model found)\n")
    quiet = run("--summary", "always", "--topics", "off", stdin=DATA, **alone)
    assert "topic model" not in quiet.err
    assert quiet.out == done.out


def test_standard_output_holds_points_only(folder: Path) -> None:
    done = run("--topic-model", folder, "--topics", "all", stdin=b"".join(SAMPLE_LINES) + DATA, env=QUIET)
    tags = {lp.parse(one).tags.get("topic") for one in done.lines}
    assert tags <= {None, "undefined", *tiny_model.LABELS.values()}
    assert {*TOLD} < tags


def test_python_programs_choose_a_model_too(folder: Path) -> None:
    lines = [*DATA.splitlines(), WITHOUT_CHAT]
    enricher = Enricher(language="off", topic_model=str(folder))
    assert [point.tags["topic"] for point in enricher.points(lines)] == [*TOLD, "undefined"]
    enricher = Enricher(language="off", topics="all", topic_model=str(folder))
    assert [point.tags["topic"] for point in enricher.points(lines)] == [*TOLD, "Programming"]
