"""Real processes: `dial-enricher topics ...` on a tiny model."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests import tiny_model
from tests.support import ROOT, Done, Json, check_refused, finish, line, run, start

COMMANDS: dict[str, tuple[str, ...]] = {
    "list": ("list",),
    "assign": ("assign", "python"),
    "evaluate": ("evaluate", "-"),
    "map": ("map", "--output", "-"),
}
LABELLED = line({"text": "python", "labels": ["technology"]}) + line({"text": "soup", "topic": "Travel"})
EACH = pytest.mark.parametrize("command", COMMANDS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_model.write(tmp_path / "model")


@pytest.fixture
def named(folder: Path) -> dict[str, str]:
    return {"TOPIC_MODEL": str(folder)}


def topics(*arguments: str | Path, **more: Any) -> Done:
    return run("topics", *arguments, **more)


def shown(done: Done) -> list[str]:
    assert (done.code, done.err) == (0, "")
    return done.out.decode().splitlines()


def objects(done: Done) -> list[Json]:
    return [json.loads(one) for one in shown(done)]


# What they print


def test_the_topics_are_listed_the_biggest_first(named: dict[str, str]) -> None:
    assert shown(topics("list", env=named)) == [
        "id  label                       size  words",
        " 0  Programming                  100  python, code, function, loop, variable, compiler",
        " 1  Food and drink                99  cook, soup, bread, oven, recipe, salt",
        " 2  Travel                        98  train, hotel, flight, city, beach, ticket",
        " 3  3_song_guitar_piano_melody    97  song, guitar, piano, melody, chord, singer",
        "-1  Rest (outliers)              101  the, to, is, what, how, thing",
    ]
    listed = objects(topics("list", "--format", "json", env=named))
    assert [one["id"] for one in listed] == [0, 1, 2, 3, -1]
    assert [one["outliers"] for one in listed] == [False] * 4 + [True]
    assert listed[1]["groups"] == ["home", "leisure"]
    assert " ".join(listed[0]["words"]) == tiny_model.SUBJECTS[0]


def test_texts_are_told_with_what_is_near(named: dict[str, str]) -> None:
    lines = shown(topics("assign", "Python bug", "what is the thing", "--top", "2", env=named))
    assert lines[:2] == ["Python bug", "  topic: Programming"]
    assert lines[2].split()[1] == "Programming"
    assert lines[4:6] == ["", "what is the thing"]
    assert lines[6] == "  topic: undefined (the nearest topic is the one for outliers)"
    assert lines[7].split()[1:3] == ["Rest", "(outliers)"]
    assert len(lines) == 9


def test_texts_are_read_from_standard_input(named: dict[str, str]) -> None:
    data = b'Python bug\n\n{"text": "soup"}\n' + line({"request": ["x", "hotel"], "answer": ["x"]}) + b"zebra"
    told = objects(topics("assign", "--format", "json", stdin=data, env=named))
    assert [one["text"] for one in told] == ["Python bug", "soup", "x\n\nhotel\n\nx", "zebra"]
    assert [one["topic"] for one in told] == ["Programming", "Food and drink", "Travel", "undefined"]
    assert [len(one["matches"]) for one in told] == [3, 3, 3, 0]
    assert told[0]["matches"][0]["similarity"] > told[0]["matches"][1]["similarity"]
    assert [one.get("reason") for one in told] == [None] * 3 + ["the text has no word that the model knows"]


def test_a_text_is_told_before_the_next_one_comes(named: dict[str, str]) -> None:
    process = start("topics", "assign", "--format", "json", env=named)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"python\n")
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["topic"] == "Programming"
    assert finish(process, b"").code == 0


def test_a_model_is_measured(named: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "labelled.ndjson"
    file.write_bytes(LABELLED)
    table = [
        "label       texts  right  accuracy  undefined  share  most often wrong",
        "all             2      1     50.0%          0   0.0%  Food and drink (1)",
        "Travel          1      0      0.0%          0   0.0%  Food and drink (1)",
        "technology      1      1    100.0%          0   0.0%",
    ]
    assert shown(topics("evaluate", file, env=named)) == table
    assert shown(topics("evaluate", "-", stdin=LABELLED, env=named)) == table
    (measured,) = objects(topics("evaluate", file, "--format", "json", env=named))
    assert (measured["texts"], measured["right"], measured["accuracy"]) == (2, 1, 0.5)
    assert measured["by_label"]["Travel"]["most_wrong"] == {"topic": "Food and drink", "texts": 1}
    assert measured["by_label"]["technology"]["most_wrong"] is None


def test_labels_that_can_never_be_right_are_named(named: dict[str, str]) -> None:
    done = topics("evaluate", "-", stdin=line({"text": "soup", "labels": ["cooking"]}), env=named)
    assert done.code == 0
    assert done.err == "Neither a topic nor a group of this model: cooking\n"


def test_a_map_is_written_to_a_file_or_to_standard_output(named: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "topics.html"
    done = topics("map", env=named, cwd=tmp_path)
    assert (done.code, done.out, done.err) == (0, b"", "Open topics.html in a browser.\n")
    assert file.read_bytes().startswith(b"<!doctype html>")
    assert topics("map", "--output", "-", env=named) == (0, file.read_bytes(), "")
    assert topics("map", "--output", "-", env=named) == (0, file.read_bytes(), "")


# What goes wrong


@EACH
def test_no_model_is_one_sentence(command: str, tmp_path: Path) -> None:
    unwanted = shutil.ignore_patterns("topic_model", "__pycache__")
    shutil.copytree(ROOT / "dial_enricher", tmp_path / "alone" / "dial_enricher", ignore=unwanted)
    (tmp_path / "empty").mkdir()
    alone: Json = {"env": {"PYTHONPATH": str(tmp_path / "alone")}, "cwd": tmp_path / "empty"}
    done = topics(*COMMANDS[command], stdin=LABELLED, **alone)
    check_refused(done, "no topic model found: name one with --topic-model or TOPIC_MODEL")


@EACH
def test_the_model_is_named_as_for_enrich(command: str, folder: Path, tmp_path: Path) -> None:
    other = shutil.copytree(folder, tmp_path / "embedding")
    (folder / "model.safetensors").unlink()
    names = ("--topic-model", folder, "--topic-embeddings-model", other)
    variables = {"TOPIC_MODEL": str(folder), "TOPIC_EMBEDDINGS_MODEL": str(other)}
    env_file = tmp_path / ".env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
    by_flag = topics(*COMMANDS[command], *names, stdin=LABELLED)
    assert by_flag.code == 0
    assert by_flag.out
    assert topics(*COMMANDS[command], stdin=LABELLED, env=variables) == by_flag
    assert topics(*COMMANDS[command], "--env-file", env_file, stdin=LABELLED) == by_flag
    check_refused(topics(*COMMANDS[command], "--topic-model", folder), "model.safetensors")


@EACH
def test_a_closed_output_is_refused(command: str, named: dict[str, str]) -> None:
    done = topics(*COMMANDS[command], stdin=LABELLED, env=named, preexec_fn=lambda: os.close(1))
    check_refused(done, "standard output is closed")


@EACH
def test_it_leaves_quietly_with_its_reader(command: str, named: dict[str, str]) -> None:
    back, out = os.pipe()
    os.close(back)
    process = start("topics", *COMMANDS[command], env=named, stdout=out)
    os.close(out)
    assert finish(process, LABELLED) == (141, b"", "")


@EACH
def test_a_full_disk_is_one_sentence(command: str, named: dict[str, str]) -> None:
    with open("/dev/full", "wb") as full:
        done = finish(start("topics", *COMMANDS[command], env=named, stdout=full), LABELLED)
    assert (done.code, done.err) == (1, "Error: cannot write to standard output: No space left on device\n")


@pytest.mark.parametrize(
    ("arguments", "stdin", "name"),
    [
        (["evaluate", "-"], b"", "has no texts"),
        (["evaluate", "-"], b"plain\n", "line 1: expected a JSON object"),
        (["evaluate", "-"], b'{"text": "x"}', "line 1: expected `labels`"),
        (["evaluate", "/not/there"], b"", "/not/there"),
        (["evaluate", "/"], b"", "'/'"),
        (["assign"], b'{"label": "x"}', "standard input, line 1: expected a `text`"),
        (["assign", "--top", "0", "x"], b"", "--top"),
        (["list", "--format", "xml"], b"", "--format"),
        (["map", "--output", "/not/there/topics.html"], b"", "/not/there/topics.html"),
        (["map", "--output", "/dev/full"], b"", "/dev/full"),
        (["nonsense"], b"", "nonsense"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    arguments: list[str], stdin: bytes, name: str, named: dict[str, str]
) -> None:
    check_refused(topics(*arguments, stdin=stdin, env=named), name)


def test_a_model_of_outliers_alone_has_no_map(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    vectors = folder / "topic_embeddings.safetensors"
    save_file({"topic_embeddings": load_file(vectors)["topic_embeddings"][:1]}, vectors)
    document = json.loads((folder / "topics.json").read_bytes())
    tiny_model.write_json(
        folder / "topics.json", document | {"topic_sizes": {"-1": 5}, "custom_labels": None}
    )
    done = topics("map", "--output", "-", "--topic-model", folder)
    check_refused(done, "no topic but the one for outliers")
    assert shown(topics("list", "--topic-model", folder))[1:]


def test_standard_input_may_be_closed_where_nothing_is_read(named: dict[str, str]) -> None:
    done = topics("list", env=named, preexec_fn=lambda: os.close(0))
    assert (done.code, done.err) == (0, "")
    check_refused(topics("assign", env=named, preexec_fn=lambda: os.close(0)), "standard input is closed")


def test_the_help_tells_the_commands_and_how_they_read() -> None:
    told = " ".join(topics("--help").out.decode().split())
    assert all(f" {command} " in told for command in COMMANDS)
    for command in COMMANDS:
        told = " ".join(topics(command, "--help").out.decode().split())
        assert "TOPIC_MODEL" in told
        assert "TOPIC_EMBEDDINGS_MODEL" in told
    assert "biggest first" in " ".join(topics("list", "--help").out.decode().split())
    assert "JSON object" in " ".join(topics("assign", "--help").out.decode().split())
