"""A strict reader of our Dockerfile: it refuses what it does not know, so nothing is passed over."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import starmap
from typing import NamedTuple

KNOWN = frozenset("ARG COPY ENTRYPOINT ENV FROM LABEL RUN USER WORKDIR".split())
FLAGS = {"COPY": {"from"}}
DIRECTIVE = re.compile(r"#\s*(syntax|escape|check)\s*=", re.IGNORECASE)
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+)|(.?))")


class Unreadable(ValueError):
    """The Dockerfile uses something that this reader does not know."""


class Step(NamedTuple):
    number: int
    """The line it begins in."""
    keyword: str
    flags: dict[str, str]
    text: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text)

    @property
    def exec_form(self) -> list[str]:
        """The words of a command that no shell reads."""
        try:
            found = json.loads(self.text)
        except ValueError:
            found = None
        if not (isinstance(found, list) and found and all(isinstance(one, str) for one in found)):
            raise Unreadable(f"line {self.number}: {self.keyword} is not in exec form")
        return found

    def pairs(self, variables: Mapping[str, str]) -> dict[str, str]:
        """What NAME=VALUE pairs set; they see variables as they were before the step."""
        if re.search(r"['\\]", self.text):
            raise Unreadable(f"line {self.number}: single quotes or backslashes")
        found = [word.partition("=") for word in self.words]
        if not found or not all(name and equals for name, equals, _ in found):
            raise Unreadable(f"line {self.number}: {self.keyword} is not in pairs")
        return {name: expanded(value, variables, self.number) for name, _, value in found}


class Stage(NamedTuple):
    base: str
    name: str | None
    steps: list[Step]

    def all(self, keyword: str) -> list[Step]:
        return [step for step in self.steps if step.keyword == keyword]


def expanded(text: str, variables: Mapping[str, str], number: int) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in variables:
            raise Unreadable(f"line {number}: {match[0]} is not known")
        return variables[name]

    return VARIABLE.sub(value, text)


def read(text: str) -> list[Stage]:
    """The stages of a Dockerfile, with the defaults of its arguments."""
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for step in starmap(_step, _logical_lines(text)):
        if step.keyword == "FROM":
            stages.append(_stage(step, arguments))
        elif step.keyword == "ARG":
            if stages:
                raise Unreadable(f"line {step.number}: ARG within a stage")
            arguments |= step.pairs(arguments)
        elif not stages:
            raise Unreadable(f"line {step.number}: {step.keyword} before FROM")
        else:
            stages[-1].steps.append(step)
    return stages


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that end in a backslash are joined with the next; comments may stand in between."""
    begun, pending = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if DIRECTIVE.match(line):
            raise Unreadable(f"line {number}: a directive for the parser")
        if line.lstrip().startswith("#") or not (pending or line.strip()):
            continue
        if not line.strip():
            raise Unreadable(f"line {number}: an empty line within an instruction")
        begun = begun if pending else number
        pending += line.rstrip()
        if pending.endswith("\\"):
            pending = pending[:-1]
        else:
            yield begun, pending
            pending = ""
    if pending:
        raise Unreadable(f"line {begun}: an instruction without an end")


def _step(number: int, line: str) -> Step:
    keyword, _, rest = line.strip().partition(" ")
    if keyword not in KNOWN:
        raise Unreadable(f"line {number}: {keyword}")
    if "<<" in rest:
        raise Unreadable(f"line {number}: a here-document")
    flags = {}
    while rest.lstrip().startswith("--"):
        flag, _, rest = rest.lstrip().partition(" ")
        name, _, flags[name] = flag[2:].partition("=")
    if not set(flags) <= FLAGS.get(keyword, set()):
        raise Unreadable(f"line {number}: a flag of {keyword}")
    if not rest.strip():
        raise Unreadable(f"line {number}: {keyword} alone")
    return Step(number, keyword, flags, rest.strip())


def _stage(step: Step, arguments: Mapping[str, str]) -> Stage:
    match = re.fullmatch(r"(\S+)(?: AS (\w+))?", step.text)
    if not match:
        raise Unreadable(f"line {step.number}: FROM in another form")
    return Stage(expanded(match[1], arguments, step.number), match[2], [])
