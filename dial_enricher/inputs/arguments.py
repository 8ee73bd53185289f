"""The arguments of a command line become the sources that they name: the same in the same order, anywhere."""

import os
from collections.abc import Iterable, Iterator, Sequence
from glob import glob, has_magic

from dial_enricher.errors import SettingError
from dial_enricher.inputs.outputs import Outputs
from dial_enricher.inputs.sources import (
    STDIN,
    Shard,
    Source,
    base_of,
    is_url,
    no_file,
    no_file_below,
    shown,
)


def sources(
    arguments: Iterable[str],
    *,
    recursive: bool = False,
    shard: Shard | None = None,
    outputs: Outputs | None = None,
) -> list[Source]:
    """The sources that files, patterns, directories, URLs and `-` name, each once.

    In the order of the arguments, those of one argument in the order of their names. In directories hidden
    files are left aside, and whatever is no file; with `recursive` those of the directories below them count
    as well. What was made in `outputs` is left aside too, unless an argument is its very name. A shard may
    have none. Raises SettingError for an argument that names none.
    """
    found: dict[str, Source] = {}
    for argument in arguments:
        named = _named(argument, recursive, outputs or Outputs())
        for source in sorted(named, key=lambda source: (source.inside, source.name)):
            found.setdefault(_identity(source), source)
    every = list(found.values())
    return every if shard is None else every[shard.index :: shard.count]


def _named(argument: str, recursive: bool, outputs: Outputs) -> Sequence[Source]:
    """The sources that an argument names, at least one. Raises SettingError."""
    if argument == STDIN:
        return [Source(STDIN, "stdin")]
    if is_url(argument):
        from dial_enricher.inputs import remote  # fsspec: only who has URLs needs it

        return remote.sources(argument, recursive=recursive)
    if os.path.isdir(argument):
        return _in_directory(argument, recursive, outputs)
    if os.path.exists(argument):
        return [_source(argument, os.path.basename(argument))]
    if has_magic(argument):
        return _fitting(argument, recursive, outputs)
    raise no_file(argument)


def _in_directory(directory: str, recursive: bool, outputs: Outputs) -> list[Source]:
    found = _without(outputs, _files(directory, directory, recursive))
    if not found:
        raise no_file_below(directory, recursive)
    return found


def _fitting(pattern: str, recursive: bool, outputs: Outputs) -> list[Source]:
    base = base_of(pattern)
    found: list[Source] = []
    for path in glob(pattern, recursive=True):
        if _is_file(path):
            found.append(_source(path, _below(base, path)))
        elif recursive and os.path.isdir(path):
            found += _files(path, base, recursive)
    if not (found := _without(outputs, found)):
        raise no_file(pattern)
    return found


def _without(outputs: Outputs, found: Iterable[Source]) -> list[Source]:
    return [source for source in found if not outputs.have_made(source.name)]


def _files(directory: str, base: str, recursive: bool) -> Iterator[Source]:
    """The files in a directory. Raises SettingError when it cannot be read."""
    try:
        names = [name for name in os.listdir(directory) if not name.startswith(".")]
    except OSError as error:
        raise SettingError(f"cannot read the directory {shown(directory)}: {error.strerror}") from None
    for name in names:
        path = os.path.join(directory, name)
        if _is_file(path):
            yield _source(path, _below(base, path))
        elif recursive and os.path.isdir(path) and not os.path.islink(path):  # a link may lead back up
            yield from _files(path, base, recursive)


def _is_file(path: str) -> bool:
    """Whether something is to be read; a link to what is not there is: its reader will say so."""
    return os.path.isfile(path) or not os.path.exists(path)


def _source(path: str, inside: str) -> Source:
    return Source(path, inside, os.path.getsize(path) if os.path.isfile(path) else None)


def _below(base: str, path: str) -> str:
    """A path as seen from a directory; what lies elsewhere (`logs/*/../../x`) has its base name."""
    inside = os.path.relpath(path, base or ".")
    return os.path.basename(inside) if inside.startswith("..") else inside


def _identity(source: Source) -> str:
    """The same for all names of a file."""
    return source.name if source.name == STDIN or is_url(source.name) else os.path.realpath(source.name)
