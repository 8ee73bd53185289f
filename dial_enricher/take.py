"""Extraction as a table: rows of a dotted path, the column it fills, and how its value is read."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from dial_enricher.errors import BadRecord, Code
from dial_enricher.values import Notes, text


class Take(NamedTuple):
    path: tuple[str, ...]
    to: str
    read: Callable[[Any, Notes], Any] = text
    required: bool = False


def row(path: str, to: str, read: Callable[[Any, Notes], Any] = text, *, required: bool = False) -> Take:
    """A row of a table; `path` is dotted (`trace.trace_id`)."""
    return Take(tuple(path.split(".")), to, read, required)


def take(rows: Iterable[Take], document: Any, notes: Notes) -> dict[str, Any]:
    """The columns that the rows find in a document; a value that is not there is None.

    Raises BadRecord with the dotted path when a required value is not there.
    """
    columns: dict[str, Any] = {}
    for path, to, read, required in rows:
        value = dig(document, path)
        if value is not None:
            value = read(value, notes)
        if value is None and required:
            raise BadRecord(Code.MISSING_FIELD, f"{'.'.join(path)} is missing or empty")
        columns[to] = value
    return columns


def dig(document: Any, path: Iterable[str]) -> Any:
    """The value at a path of keys; None as soon as a step is not there."""
    try:
        for key in path:
            document = document[key]
    except (KeyError, TypeError):
        return None
    return document
