"""The command lines of ours that stand in configurations, and what they mean."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from dial_enricher import cli
from dial_enricher.inputs.sources import STDIN
from dial_enricher.settings import Settings, check_sources
from dial_enricher.stream_options import read_settings
from tests.hosts.formats import read, unmarked
from tests.support import ROOT, Json

FILES = ("vector.toml.example", *(f"deploy/{path.name}" for path in sorted((ROOT / "deploy").iterdir())))
IN_TEXT = re.compile(
    r"dial-enricher ((?:(?:enrich|replay|doctor)\b|--)[^\n|><;&\"`]*?)(?=\s+\d?[><]|[|;&\"`\n]|\Z)"
)
"""Up to where a shell, a quotation or the line ends it."""
DEFAULT = "enrich"


CHUNK = "/var/lib/fluentd/dial-buffer/buffer.q64f.log"


class Place:
    """A directory that stands for the root of a machine, with what the configurations name."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = root / "var/lib/dial-enricher"
        self.logs = root / "app/log"
        for folder in (self.state, self.logs, root / "etc/dial-enricher", root / "var/log", root / "tmp"):
            folder.mkdir(parents=True)
        self.env_file = root / "etc/dial-enricher/enricher.env"
        self.env_file.touch()

    def text(self, text: str) -> str:
        """The text with paths that lead here."""
        text = text.replace("${STATE_DIRECTORY}", str(self.state))
        return re.sub(r"(?<![\w/.])/(?=(app|var|etc)/|tmp/pipe\b)", f"{self.root}/", text)

    def words(self, words: list[str]) -> list[str]:
        return [self.text(word) for word in words]


class Command(NamedTuple):
    """What the parser of the program makes of a command line."""

    name: str
    options: Json
    files: list[str]

    @property
    def settings(self) -> Settings:
        """Raises SettingError."""
        environment = {"INFLUX_URL": "http://localhost:8086", "INFLUX_DATABASE": "dial"}
        archive = bool(self.files) and not self.options.get("follow")
        settings = read_settings(dict(self.options), environment, archive=archive)
        check_sources(settings, self.files or [STDIN])
        return settings


def parsed(words: list[str]) -> Command:
    """Raises click.UsageError for what the program does not understand."""
    named = words[0] in cli.main.commands
    name, rest = (words[0], words[1:]) if named else (DEFAULT, words)
    context = cli.main.commands[name].make_context(name, list(rest))
    options = dict(context.params)
    return Command(name, options, list(options.pop("files", ())))


def in_text(text: str) -> list[list[str]]:
    """The arguments of each command that stands in a text or in its comments."""
    return [_with_chunk(shlex.split(found)) for found in IN_TEXT.findall(unmarked(text))]


def vector() -> list[str]:
    return _arguments(read("vector.toml.example", "toml")["sources"]["dial"]["command"])


def telegraf() -> list[str]:
    return _arguments(read("deploy/telegraf.conf", "toml")["inputs"]["execd"][0]["command"])


def fluentd(kind: str) -> list[str]:
    matches = read("deploy/fluentd.conf", "fluentd", alternatives=True)["match"]
    (command,) = (match["command"] for match in matches if match["@type"] == kind)
    return _with_chunk(_arguments(shlex.split(command)))


def _with_chunk(words: list[str]) -> list[str]:
    """The command of Fluentd's exec output as Fluentd runs it: with the name of a chunk behind it."""
    return [*words, CHUNK] if any("fluentd.checkpoint" in word for word in words) else words


def logstash() -> list[str]:
    return _arguments(shlex.split(read("deploy/logstash.conf", "logstash")["output"][0]["pipe"]["command"]))


def systemd() -> list[str]:
    return _arguments(shlex.split(read("deploy/dial-enricher.service", "systemd")["Service"]["ExecStart"]))


def kubernetes() -> list[str]:
    (sidecar,) = read("deploy/kubernetes.values.yaml", "yaml")["initContainers"]
    return _arguments([*entrypoint(), *sidecar["args"]])


def fluent_bit_script() -> str:
    """What runs Fluent Bit and the program beside it; it stands in a comment."""
    (script,) = re.findall(
        r"#!/bin/sh.*?kill 0; wait$", unmarked(_text("deploy/fluent-bit.yaml")), re.DOTALL | re.MULTILINE
    )
    return str(script)


def vector_script() -> str:
    """What runs Vector and the program in one container."""
    (sidecar,) = read("deploy/kubernetes.values.yaml", "yaml", alternatives=True)["sidecars"]
    assert sidecar["command"] == ["/bin/sh", "-c"]
    (script,) = sidecar["args"]
    return str(script)


def entrypoint() -> list[str]:
    """What the image starts."""
    (line,) = re.findall(r"^ENTRYPOINT (.*)$", _text("deploy/Dockerfile"), re.MULTILINE)
    words: list[str] = json.loads(line)
    return words


def _text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def _arguments(words: list[str]) -> list[str]:
    assert Path(words[0]).name == "dial-enricher"
    return words[1:]


STRUCTURED = {
    "vector": vector,
    "telegraf": telegraf,
    "fluentd-exec": lambda: fluentd("exec"),
    "fluentd-exec_filter": lambda: fluentd("exec_filter"),
    "logstash": logstash,
    "systemd": systemd,
    "kubernetes": kubernetes,
}


def everywhere() -> Iterator[tuple[str, list[str]]]:
    """Where each command line stands, and its arguments."""
    yield from ((name, words()) for name, words in STRUCTURED.items())
    for name in FILES:
        yield from ((name, words) for words in in_text(_text(name)))


def known_options() -> set[str]:
    """The options of all our commands."""
    commands = [cli.main, *cli.main.commands.values()]
    names = {name for command in commands for option in command.params for name in option.opts}
    return {name for name in names if name.startswith("--")} | {"--help"}


def known_variables() -> set[str]:
    """The variables that an option can be set by."""
    options = [one for one in cli.enrich.params if isinstance(one, click.Option)]
    return {one.envvar for one in options if isinstance(one.envvar, str)}
