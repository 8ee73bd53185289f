"""The ready configurations: parsed, compared with what their hosts know and with what the program takes."""

import copy
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import click
import pytest

from dial_enricher.errors import SettingError
from tests.hosts import commands, fluent_bit, fluentd, kubernetes, logstash, systemd, telegraf, vector
from tests.hosts.commands import Place, parsed
from tests.hosts.formats import READERS, Mistake, Tree, read, unmarked, with_alternatives
from tests.hosts.rules import problems
from tests.support import OWN_NAMES, ROOT, needed


class Configuration(NamedTuple):
    file: str
    form: str
    host: ModuleType

    @property
    def text(self) -> str:
        return (ROOT / self.file).read_text("utf-8")

    def tree(self, *, alternatives: bool = False) -> Tree:
        return read(self.file, self.form, alternatives=alternatives)


CONFIGURATIONS = {
    one.host.__name__.rpartition(".")[2]: one
    for one in (
        Configuration("vector.toml.example", "toml", vector),
        Configuration("deploy/telegraf.conf", "toml", telegraf),
        Configuration("deploy/fluent-bit.yaml", "yaml", fluent_bit),
        Configuration("deploy/fluentd.conf", "fluentd", fluentd),
        Configuration("deploy/logstash.conf", "logstash", logstash),
        Configuration("deploy/dial-enricher.service", "systemd", systemd),
        Configuration("deploy/kubernetes.values.yaml", "yaml", kubernetes),
    )
}
EACH = pytest.mark.parametrize("one", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
EACH_FILE = pytest.mark.parametrize("name", commands.FILES)
COMMANDS = list(commands.everywhere())
EACH_COMMAND = pytest.mark.parametrize(
    "words", [words for _, words in COMMANDS], ids=[name for name, _ in COMMANDS]
)

FREE = {
    *("dial", "store", "dial_files", "to_the_program"),  # names of components
    *("Authorization", "DIAL_ENRICHER_SCHEMA", "DIAL_ENRICHER_LANGUAGE"),
}
"""Keys that are names we chose, which a host cannot know."""
OTHERS_OPTIONS = {
    "--cfgfile --foreground",  # syslog-ng
    "--config --dangerously-allow-env-var-interpolation",  # Vector
    "--test",  # Telegraf
    "--now --unit",  # systemctl, journalctl
    "--from --from-literal --values",  # Docker, kubectl, helm
    "--build-arg --file --interactive --read-only --rm --tag",  # docker
}
DOCKERFILE_STEPS = re.compile(r"^(RUN|COPY|  +|  *&&).*$", re.MULTILINE)


# The hosts understand them


@EACH
@pytest.mark.parametrize("alternatives", [False, True], ids=["as it is", "all on"])
def test_every_key_and_value_is_known_to_the_host(one: Configuration, alternatives: bool) -> None:
    assert problems(one.tree(alternatives=alternatives), one.host.TABLE) == []


def renamed(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Each key in a tree, and the path to where it is."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, path
            yield from renamed(inner, (*path, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from renamed(inner, (*path, at))


@EACH
def test_a_wrong_key_would_be_found(one: Configuration) -> None:
    tree = one.tree(alternatives=True)
    keys = list(renamed(tree))
    assert len(keys) > 10
    for key, path in keys:
        wrong = inner = copy.deepcopy(tree)
        for step in path:
            inner = inner[step]
        inner[f"{key}x"] = inner.pop(key)
        assert bool(problems(wrong, one.host.TABLE)) == (key not in FREE), (path, key)


@EACH
def test_what_can_be_had_instead_is_read_too(one: Configuration) -> None:
    """Else a line that begins with another mark would never be looked at."""
    assert one.tree(alternatives=True) != one.tree()
    assert with_alternatives(one.text, one.form) != one.text


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("fluentd", "<source>\n  @type tail\n"),
        ("fluentd", "<source>\n</match>\n"),
        ("fluentd", "<source>\n  tag a\n  tag b\n</source>\n"),
        ("fluentd", "<source>\n  tag\n</source>\n"),
        ("fluentd", "tag dial\n"),
        ("logstash", "input { file { path => } }"),
        ("logstash", "input { file { path => 1 path => 2 } }"),
        ("logstash", "input { file { path 1 } }"),
        ("logstash", "input { } input { }"),
        ("logstash", "input { file { path => 'a' } }"),
        ("systemd", "[Service]\nExecStart=a \\\n"),
        ("systemd", "[Service]\nExecStart\n"),
        ("yaml", "service:\n  flush: 1\n  flush: 2\n"),
    ],
)
def test_what_is_not_understood_is_an_error(form: str, text: str) -> None:
    with pytest.raises((Mistake, IndexError)):
        READERS[form](text)


def test_systemd_itself_finds_nothing_wrong(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        needed("systemd-analyze (Debian: systemd)")
    unit = tmp_path / "dial-enricher.service"
    text = CONFIGURATIONS["systemd"].text
    program = tmp_path / "dial-enricher"
    program.touch(0o755)
    for form in (text, with_alternatives(text, "systemd")):
        unit.write_text(form.replace("/usr/local/bin/dial-enricher", str(program)))
        done = subprocess.run([analyze or "", "verify", "--man=no", unit], capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# The program understands them


@EACH_COMMAND
def test_every_command_is_understood_by_the_program(words: list[str], tmp_path: Path) -> None:
    place = Place(tmp_path)
    command = parsed(place.words(words))
    assert all(file.startswith(str(tmp_path)) for file in command.files), "these words are no files"
    if command.name == "enrich":
        assert command.settings.log_level == "warning"


def test_a_command_with_a_wrong_word_would_be_found(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with pytest.raises(click.UsageError):
        parsed(place.words(["enrich", "--folow", "/app/log/a"]))
    with pytest.raises(click.UsageError):
        parsed(place.words(["enrich", "--to", "influx"]))
    with pytest.raises(SettingError):
        parsed(place.words(["enrich", "--follow"])).settings  # noqa: B018


@EACH_FILE
def test_every_option_and_variable_that_is_named_exists(name: str) -> None:
    text = unmarked((ROOT / name).read_text("utf-8"))
    if name == "deploy/Dockerfile":
        text = DOCKERFILE_STEPS.sub("", text)
    others = {option for line in OTHERS_OPTIONS for option in line.split()}
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", text))
    assert options - commands.known_options() - others == set()
    variables = set(re.findall(r"\b(?:DIAL_ENRICHER_\w+|INFLUX_\w+|MODEL_RATES|TOPIC_\w+)\b", text))
    assert variables - commands.known_variables() - set(OWN_NAMES) == set()


def test_all_name_the_same_places() -> None:
    text = "\n".join((ROOT / name).read_text("utf-8") for name in commands.FILES if "Dockerfile" not in name)
    assert set(re.findall(r"[\w/.-]*/bin/dial-enricher\b", text)) == {"/usr/local/bin/dial-enricher"}
    assert set(re.findall(r"--env-file ([^\s`\"]+)", text)) == {"/etc/dial-enricher/enricher.env"}
    assert set(re.findall(r"--dead-letter[^\w/]+([/\w.-]+)", text.replace("${STATE_DIRECTORY}", "/S"))) == {
        "/S/dead.jsonl",
        "/var/lib/dial-enricher/dead.jsonl",
    }


# What they say of themselves


@EACH
def test_it_says_which_version_it_was_written_for_and_how_it_was_checked(one: Configuration) -> None:
    text = " ".join(unmarked(one.text).split())
    assert f"Written for {one.host.HOST}" in text
    assert re.search(r"checked by tests/test_deploy\.py", text)
    honest = "systemd-analyze verify" if one.form == "systemd" else r"(itself was not|nor Kubernetes was) run"
    assert re.search(honest, text)
    assert "CHANGE" in text
    (row,) = re.findall(rf"^\| `(?:\.\./)?{Path(one.file).name}` .*$", README, re.MULTILINE)
    assert one.host.HOST in row


README = (ROOT / "deploy/README.md").read_text("utf-8")


def test_the_overview_has_each_file_once() -> None:
    rows = re.findall(r"^\| `([^`]+)`", README, re.MULTILINE)
    present = {name.removeprefix("deploy/") for name in commands.FILES} - {"README.md", "vector.toml.example"}
    assert sorted(rows) == sorted({*present, "../vector.toml.example"})


def test_what_the_overview_names_is_there() -> None:
    names = re.findall(r"\]\(([^)]+)\)|`((?:\.\./)?tests/[^`]+)`", README)
    assert len(names) >= 2
    for linked, named in names:
        assert (ROOT / "deploy" / linked if linked else ROOT / named).exists()
