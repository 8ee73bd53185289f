"""Extraction as a table: rows of a dotted path, the column it fills, and how its value is read."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from dial_enricher.errors import BadRecord, Code
from dial_enricher.values import Notes, text


class Take(NamedTuple):
    path: tuple[str, ...]
    to: str
    read: Callable[[Any, Notes], Any] = text


def row(path: str, to: str, read: Callable[[Any, Notes], Any] = text) -> Take:
    """A row of a table; `path` is dotted (`trace.trace_id`)."""
    return Take(tuple(path.split(".")), to, read)


def take(rows: Iterable[Take], document: Any, notes: Notes) -> dict[str, Any]:
    """The columns that the rows find in a document; a value that is not there is None."""
    columns: dict[str, Any] = {}
    for path, to, read in rows:
        value = document
        try:  # as `dig` does, without a call for each of the many rows
            for key in path:
                value = value[key]
        except (KeyError, TypeError):
            value = None
        columns[to] = None if value is None else read(value, notes)
    return columns


def dig(document: Any, path: Iterable[str]) -> Any:
    """The value at a path of keys; None as soon as a step is not there."""
    try:
        for key in path:
            document = document[key]
    except (KeyError, TypeError):
        return None
    return document


def need(document: Any, path: tuple[str, ...]) -> Any:
    """The value at a path without which the record is of no use. Raises BadRecord with the dotted path."""
    value = dig(document, path)
    if value is None or value == "":
        raise missing(path)
    return value


def missing(path: tuple[str, ...]) -> BadRecord:
    """What is wrong with a record that has nothing at a path."""
    return BadRecord(Code.MISSING_FIELD, f"{'.'.join(path)} is missing or empty")


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list; of anything else none."""
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield item
