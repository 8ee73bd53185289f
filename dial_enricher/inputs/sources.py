"""What can be read, and what it is called."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from glob import has_magic

from dial_enricher.errors import SettingError

STDIN = "-"
OUTPUT_REMEMBERS = "--output DIRECTORY remembers which files are done"
"""What to do where a place within a source cannot be remembered."""
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SHARD = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")
_WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Source:
    """Something to read from its beginning to its end."""

    name: str
    """What is opened: a path, a URL, or `-` for standard input."""
    inside: str
    """Where it stands below the argument that named it; its base name if that named it alone."""
    size: int | None = None
    """Bytes as stored; None where nobody knows."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several parts of the sources, which machines share."""

    index: int
    """From 0 on."""
    count: int


def parse_shard(text: str) -> Shard:
    """Reads `2/8`. Raises SettingError."""
    found = _SHARD.fullmatch(text.strip())
    if found is None or not int(found[1]) < int(found[2]):
        raise SettingError(f"--shard must be i/n with i from 0 to n-1, as 0/8, not {text!r}")
    return Shard(int(found[1]), int(found[2]))


def as_given(arguments: Iterable[str]) -> list[Source]:
    """Sources whose names are the arguments themselves, as patterns of files that may come later."""
    return [Source(argument, argument) for argument in arguments]


def is_url(name: str) -> bool:
    return _URL.match(name) is not None


def shown(name: str) -> str:
    """What a source is called in logs and dead letters; a file name need not be UTF-8, nor one line."""
    name = "stdin" if name == STDIN else os.fsencode(name).decode(errors="replace")
    return "".join(char if char.isprintable() else "\ufffd" for char in name)


def base_of(pattern: str) -> str:
    """The directory that all that fits a pattern is below."""
    return os.path.dirname(_WILDCARD.split(pattern, maxsplit=1)[0])


def no_file(argument: str) -> SettingError:
    if not argument:
        return SettingError("the name of a file is empty: name files, directories or quoted patterns")
    if has_magic(argument):
        return SettingError(f"no file fits {shown(argument)}")
    return SettingError(f"no file is named {shown(argument)}: name files, directories or quoted patterns")


def no_file_below(directory: str, recursive: bool) -> SettingError:
    advice = "" if recursive else "; --recursive reads the files of the directories below it as well"
    return SettingError(f"the directory {shown(directory)} holds no file{advice}")
