"""Extraction as a table: rows of a dotted path, the column it fills, and how its value is read."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

from dial_enricher.errors import BadRecord, Code
from dial_enricher.values import Notes, text

_NOTHING: dict[str, Any] = {}


class Take(NamedTuple):
    parent: str
    """Empty for what stands in the document itself."""
    key: str
    to: str
    read: Callable[[Any, Notes], Any]


Table = tuple[tuple[str, tuple[Take, ...]], ...]
"""Rows by their parent, which is looked up once for all of them."""


def row(path: str, to: str, read: Callable[[Any, Notes], Any] = text) -> Take:
    """A row of a table; `path` is a key, or two with a dot between (`trace.trace_id`)."""
    parent, _, key = path.rpartition(".")
    return Take(parent, key, to, read)


def table(*rows: Take) -> Table:
    """Rows of the same parent stand together."""
    return tuple((parent, tuple(group)) for parent, group in groupby(rows, key=lambda row: row.parent))


def take(table: Table, document: dict[str, Any], notes: Notes) -> dict[str, Any]:
    """The columns that the rows find in a document; a value that is not there is None."""
    columns: dict[str, Any] = {}
    for parent, rows in table:
        part = document.get(parent) if parent else document
        if not isinstance(part, dict):
            part = _NOTHING
        for _, key, to, read in rows:
            value = part.get(key)
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
