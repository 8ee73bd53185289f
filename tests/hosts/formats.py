"""Readers of configurations, as strict as the hosts or stricter: what is not understood is an error."""

import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from tests.support import ROOT

Tree = dict[str, Any]
OPTIONAL = {"toml": "# ", "yaml": "# ", "fluentd": "# ", "systemd": "# ", "logstash": "#| "}
"""What a line begins with that can be had instead. Sentences begin with ## (in Logstash, with #)."""


class Mistake(Exception):
    """The line cannot be understood."""


def with_alternatives(text: str, form: str) -> str:
    """The text with each line switched on that is there to be had."""
    return re.sub(rf"^( *){re.escape(OPTIONAL[form])}", r"\1", text, flags=re.MULTILINE)


def unmarked(text: str) -> str:
    """The text with its comments laid open, and lines that go on in the next one joined."""
    return re.sub(r"\\\n\s*", "", re.sub(r"^ *(##|#\||#(?!!)) ?", "", text, flags=re.MULTILINE))


def read(name: str, form: str, *, alternatives: bool = False) -> Tree:
    """A configuration of ours as dictionaries, lists and values."""
    text = (ROOT / name).read_text("utf-8")
    return READERS[form](with_alternatives(text, form) if alternatives else text)


class _Strict(yaml.SafeLoader):
    """YAML in which no key may come twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(keys) != len(set(keys)):
            raise Mistake(f"a key comes twice: {keys}")
        return super().construct_mapping(node, deep)


def _yaml(text: str) -> Tree:
    tree = yaml.load(text, _Strict)
    assert isinstance(tree, dict)
    return tree


def _systemd(text: str) -> Tree:
    """Sections of keys; a key that comes more than once has the list of its values."""
    tree: Tree = {}
    section: Tree = {}
    for line in _lines(text):
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = tree.setdefault(header[1], {})
        elif setting := re.fullmatch(r"(\w+)=(.*[^\\]|)", line):
            key, value = setting.groups()
            section[key] = [*section[key], value] if key in section else [value]
        else:
            raise Mistake(line)
    return {name: {key: _single(values) for key, values in keys.items()} for name, keys in tree.items()}


def _single(values: list[str]) -> str | list[str]:
    return values if len(values) > 1 else values[0]


def _lines(text: str) -> Iterator[str]:
    """Lines that are neither blank nor comments."""
    stripped = (line.strip() for line in text.splitlines())
    return (line for line in stripped if line and not line.startswith("#"))


def _fluentd(text: str) -> Tree:
    """Sections are lists under their name; what stands behind the name of one is under the empty key."""
    tree: Tree = {}
    open_sections = [("", tree)]
    for line in _lines(text):
        name, inner = open_sections[-1]
        if begin := re.fullmatch(r"<(\w+)(?: ([\w.*]+))?>", line):
            section: Tree = {"": begin[2]} if begin[2] else {}
            inner.setdefault(begin[1], []).append(section)
            open_sections.append((begin[1], section))
        elif line == f"</{name}>":
            open_sections.pop()
        elif (setting := re.fullmatch(r"(@?\w+) ([^\s\"'\[{#][^#\"']*)", line)) and len(open_sections) > 1:
            if setting[1] in inner:
                raise Mistake(f"it comes twice: {line}")
            inner[setting[1]] = setting[2]
        else:
            raise Mistake(line)
    if len(open_sections) > 1:
        raise Mistake(f"<{open_sections[-1][0]}> is not closed")
    return tree


_TOKEN = re.compile(r'\s+|#.*|(=>|[{}\[\],]|"[^"\\]*(?:\\.[^"\\]*)*"|\d+|\w+)')


class _Logstash:
    """Sections hold plugins, plugins hold options."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        at = 0
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None:
                raise Mistake(text[at : at + 40])
            if token[1]:
                self._tokens.append(token[1])
            at = token.end()

    def sections(self) -> Tree:
        tree: Tree = {}
        while self._tokens:
            name = self._word()
            if name in tree:
                raise Mistake(f"it comes twice: {name}")
            tree[name] = list(self._plugins())
        return tree

    def _plugins(self) -> Iterator[Tree]:
        self._take("{")
        while self._tokens[0] != "}":
            yield {self._word(): self._options()}
        self._take("}")

    def _options(self) -> Tree:
        options: Tree = {}
        self._take("{")
        while self._tokens[0] != "}":
            key = self._word()
            self._take("=>")
            if key in options:
                raise Mistake(f"it comes twice: {key}")
            options[key] = self._value()
        self._take("}")
        return options

    def _value(self) -> Any:
        token = self._tokens.pop(0)
        if token.startswith('"'):
            return token[1:-1]
        if token.isdecimal():
            return int(token)
        if token == "[":
            values = [self._value()]
            while self._tokens[0] == ",":
                self._take(",")
                values.append(self._value())
            self._take("]")
            return values
        if token in ("true", "false"):
            return token == "true"
        if token.isidentifier():
            return {token: self._options()}
        raise Mistake(token)

    def _word(self) -> str:
        token = self._tokens.pop(0)
        if not token.isidentifier():
            raise Mistake(token)
        return token

    def _take(self, token: str) -> None:
        if not self._tokens or self._tokens.pop(0) != token:
            raise Mistake(f"{token} is missing")


def _logstash(text: str) -> Tree:
    return _Logstash(text).sections()


READERS: dict[str, Callable[[str], Tree]] = {
    "toml": tomllib.loads,
    "yaml": _yaml,
    "fluentd": _fluentd,
    "systemd": _systemd,
    "logstash": _logstash,
}
