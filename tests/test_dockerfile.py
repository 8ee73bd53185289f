"""The Dockerfile and what surrounds it, as they are written: linted, held against our own rules."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import dial_enricher
from tests.debian import BASE
from tests.dockerfile import Stage, Unreadable, read
from tests.image import make_context
from tests.support import ROOT, needed

PATH = ROOT / "deploy" / "Dockerfile"
TEXT = PATH.read_text()
STAGES = read(TEXT)


def commands(stages: list[Stage]) -> list[str]:
    """What the shell is to run, one by one."""
    return [part.strip() for stage in stages for run in stage.all("RUN") for part in run.text.split("&&")]


def is_hashed(pip: str) -> bool:
    """Downloads are checked; what is installed was downloaded before."""
    if " download " in pip:
        return {"--require-hashes", "--only-binary", "--no-cache-dir"} <= {*pip.split()}
    return " install " in pip and {"--no-index", "--no-cache-dir"} <= {*pip.split()}


RULES: dict[str, Callable[[list[Stage]], bool]] = {
    "the base is a small Debian with a named release and Python, the same for all stages": lambda stages: (
        len({stage.base for stage in stages}) == 1 and bool(BASE.fullmatch(stages[0].base))
    ),
    "pip takes only what the lock names": lambda stages: all(
        is_hashed(command)
        for command in commands(stages)
        if re.search(r"\bpip\b.* (install|download)", command)
    ),
    "nothing else is fetched": lambda stages: (
        not re.search(r"\b(apt|apt-get|curl|wget|git|npm)\b", " ".join(commands(stages)))
    ),
    "the last stage takes from the build alone": lambda stages: all(
        copy.flags == {"from": "build"} for copy in stages[-1].all("COPY")
    ),
    "the user is a number, and not root": lambda stages: (
        [bool(re.fullmatch(r"[1-9]\d*:[1-9]\d*", user.text)) for user in stages[-1].all("USER")] == [True]
    ),
    "the program is PID 1, and gets arguments": lambda stages: (
        [entry.exec_form for entry in stages[-1].all("ENTRYPOINT")] == [["dial-enricher"]]
    ),
    "the labels say what it is": lambda stages: (
        {
            name.rpartition(".")[2]: value
            for label in stages[-1].all("LABEL")
            for name, value in label.pairs({}).items()
        }
        == {
            "title": "dial-enricher",
            "description": "Turns the logs of AI DIAL Core into points for InfluxDB",
            "version": dial_enricher.__version__,
        }
    ),
}

BROKEN = (
    ("python:3.13-slim-trixie", "python:slim"),
    ("FROM ${BASE}\n", "FROM python:3.12-slim-trixie\n"),
    (" --require-hashes", ""),
    ("--no-index --find-links /wheels hatchling", "hatchling"),
    (" && install -d", " && apt-get install -y gcc && install -d"),
    ("COPY --from=build /opt/dial-enricher /opt/dial-enricher", "COPY dial_enricher /opt/dial-enricher"),
    ("USER 65534:65534", "USER nobody"),
    ("USER 65534:65534", "USER 0:0"),
    ("USER 65534:65534\n", ""),
    ('["dial-enricher"]', '["sh", "-c", "dial-enricher"]'),
    (f'version="{dial_enricher.__version__}"', 'version="0.0.0"'),
)


@pytest.mark.parametrize("rule", RULES)
def test_our_rules_are_kept(rule: str) -> None:
    assert RULES[rule](STAGES)


@pytest.mark.parametrize(("old", "new"), BROKEN)
def test_a_rule_notices(old: str, new: str) -> None:
    assert old in TEXT
    stages = read(TEXT.replace(old, new))
    assert [name for name, rule in RULES.items() if not rule(stages)]


def lint(text: str) -> str:
    """What a linter of Dockerfiles has to say; it does not look into arguments."""
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.exists():
        needed("hadolint, which `make install` installs")
    command = [str(linter), "--no-color", "--config", os.devnull, "--failure-threshold", "style", "-"]
    plain = text.replace("${BASE}", read(text)[0].base)
    done = subprocess.run(command, input=plain.encode(), capture_output=True, timeout=60)
    assert (done.returncode == 0) == (done.stdout == b""), done.stderr.decode()
    return done.stdout.decode()


def test_the_linter_has_nothing_to_say() -> None:
    assert "hadolint ignore" not in TEXT
    assert lint(TEXT) == ""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('["dial-enricher"]', "dial-enricher", "DL3025"),
        ("python:3.13-slim-trixie", "python", "DL3006"),
        ("USER 65534:65534", "USER root", "DL3002"),
        ("-x site-packages", "-x $HOME", "SC2086"),
    ],
)
def test_the_linter_notices(old: str, new: str, says: str) -> None:
    assert old in TEXT
    assert says in lint(TEXT.replace(old, new))


@pytest.mark.parametrize(
    "text",
    [
        "# syntax=docker/dockerfile:1\nFROM a",
        "FROM a\nHEALTHCHECK CMD true",
        "FROM a\nVOLUME /x",
        "FROM a\nADD x y",
        "FROM a\nARG X=1",
        "FROM ${NONE}",
        "FROM --platform=x a",
        "FROM a\nRUN <<END\ntrue\nEND",
        "FROM a\nRUN --mount=type=cache,target=/x true",
        "FROM a\nRUN true \\\n\n && false",
        "FROM a\nRUN true \\",
        "FROM a\nUSER",
        "RUN true\nFROM a",
    ],
)
def test_the_reader_refuses_what_it_does_not_know(text: str) -> None:
    with pytest.raises(Unreadable):
        read(text)


def test_the_reader_joins_lines_and_skips_comments() -> None:
    (stage,) = read(
        'ARG B=b:1\n\n# x\nFROM $B AS one\nRUN a \\\n  # in between\n  "b\\" \\\n && c\nENV X=1 Y="2 $P"\n'
    )
    assert (stage.base, stage.name) == ("b:1", "one")
    assert [(step.number, step.keyword, step.text) for step in stage.steps] == [
        (5, "RUN", 'a   "b\\"  && c'),
        (9, "ENV", 'X=1 Y="2 $P"'),
    ]
    assert stage.steps[1].pairs({"P": "p"}) == {"X": "1", "Y": "2 p"}


def test_the_context_is_what_is_copied(tmp_path: Path) -> None:
    make_context(ROOT, tmp_path)
    sources = {source for copy in STAGES[0].all("COPY") for source in copy.words[:-1]}
    assert sources == {path.name for path in tmp_path.iterdir()}


def test_what_lies_about_is_not_sent(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "context"
    wanted = {"pyproject.toml", "dial_enricher/cli.py", "dial_enricher/a/b.py", "topic_model/config.json"}
    unwanted = (
        ".env .git/config .venv/bin/python .ci/run tests/cli.py key.pem dial.log dist/a.whl x/pyproject.toml "
        "dial_enricher/.env dial_enricher/a/__pycache__/b.pyc topic_model/.cache/x"
    ).split()
    for name in (*wanted, *unwanted):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).touch()
    (source / ".dockerignore").write_text((ROOT / ".dockerignore").read_text())
    make_context(source, target)
    assert {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()} == wanted


def test_make_builds_from_the_top_of_the_repository(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\npwd > {tmp_path}/pwd\nprintf "%s\\n" "$@" > {tmp_path}/arguments\n')
    docker.chmod(0o755)
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["make", "-C", ROOT, "docker_build"], env=env, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "pwd").read_text() == f"{ROOT}\n"
    arguments = (tmp_path / "arguments").read_text().split()
    assert arguments == ["build", "--file", str(PATH.relative_to(ROOT)), "--tag", "dial-enricher", "."]
