"""A parser of InfluxDB line protocol, written from the protocol's description and stricter than a server.

It shares nothing with the program. What it accepts is what every version of InfluxDB reads alike: one
physical line, no control characters, no backslash in a tag but before a comma, an equals sign or a space,
tags and fields in the order of their names.
"""

import math
import re
from typing import NamedTuple

Value = str | int | float

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NAME = re.compile(r"[a-z][a-z_0-9]*")
_TAG_VALUE = re.compile(r"(?:[^\\,= ]|\\[,= ])+")
_STRING = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?")
_INTEGER = re.compile(r"(-?[0-9]+)i")
_TIME = re.compile(r" (-?[0-9]+)\n")
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


class NotLineProtocol(AssertionError):
    pass


class Parsed(NamedTuple):
    measurement: str
    tags: dict[str, str]
    fields: dict[str, Value]
    time: int
    written: dict[str, str]
    """The fields as they are spelled, before they became values."""


def parse_all(output: bytes) -> list[Parsed]:
    """The points of an output, which ends with a newline unless it is empty."""
    *lines, rest = output.split(b"\n")
    _demand(not rest, "the last line has no newline")
    return [parse(line + b"\n") for line in lines]


def parse(line: bytes) -> Parsed:
    """The point of a line with its newline."""
    return _Parser(line.decode("utf-8")).point()


class _Parser:
    def __init__(self, text: str) -> None:
        _demand(text.endswith("\n"), "no newline at the end")
        _demand(not _FORBIDDEN.search(text[:-1]), "a raw control character, or half of a surrogate pair")
        self._text = text
        self._at = 0

    def point(self) -> Parsed:
        measurement = self._take(_NAME, "measurement")[0]
        tags: dict[str, str] = {}
        while self._skip(","):
            name = self._key(tags)
            tags[name] = re.sub(r"\\(.)", r"\1", self._take(_TAG_VALUE, name)[0])
        _demand(self._skip(" "), "no space before the fields")
        fields: dict[str, Value] = {}
        written: dict[str, str] = {}
        while not fields or self._skip(","):
            name = self._key(fields)
            begin = self._at
            fields[name] = self._value(name)
            written[name] = self._text[begin : self._at]
        time = int(self._take(_TIME, "time")[1])
        _demand(_SMALLEST + 2 <= time <= _LARGEST - 1, "the time is out of bounds")
        _demand(self._at == len(self._text), "something behind the newline")
        return Parsed(measurement, tags, fields, time, written)

    def _key(self, before: dict[str, str] | dict[str, Value]) -> str:
        name = self._take(_NAME, "name")[0]
        _demand(not before or next(reversed(before)) < name, f"{name} is not in order")
        _demand(self._skip("="), f"no equals sign behind {name}")
        return name

    def _value(self, name: str) -> Value:
        if self._text.startswith('"', self._at):
            return re.sub(r"\\(.)", r"\1", self._take(_STRING, name)[1])
        if _INTEGER.match(self._text, self._at):
            integer = int(self._take(_INTEGER, name)[1])
            _demand(_SMALLEST <= integer <= _LARGEST, f"{name} takes more than 64 bits")
            return integer
        number = float(self._take(_NUMBER, name)[0])
        _demand(math.isfinite(number), f"{name} is not finite")
        return number

    def _take(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise NotLineProtocol(f"no {what} at {self._at}: {self._text[self._at : self._at + 40]!r}")
        self._at = match.end()
        return match

    def _skip(self, mark: str) -> bool:
        found = self._text.startswith(mark, self._at)
        self._at += len(mark) * found
        return found


def _demand(condition: bool, message: str) -> None:
    if not condition:
        raise NotLineProtocol(message)
