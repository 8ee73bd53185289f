"""Texts that somebody asks about: lines become rows, and rows what the stream would embed of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import orjson

from dial_enricher.errors import SettingError
from dial_enricher.event import Texts
from dial_enricher.texts import trimmed
from dial_enricher.topics.excerpt import excerpt


@dataclass(frozen=True, slots=True)
class Row:
    """A text, and what somebody says of it."""

    text: str
    """What is embedded; may be empty."""
    labels: tuple[str, ...] = ()
    """The topics or groups that are right for it, the best one first."""


def asked(text: str) -> Row:
    """The row of a text that is a question without an answer."""
    return Row(excerpt(Texts(request=trimmed([text]))))


def lines_or_rows(lines: Iterable[bytes], source: str) -> Iterator[Row]:
    """A row for each line that is not blank: a JSON object is one already, anything else is its text.

    Raises SettingError that names the line of `source` for an object without a text.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            document = _document(line)
            if isinstance(document, dict):
                yield Row(_text(document, f"{source}, line {number}"))
            else:
                yield asked(line.decode(errors="replace"))


def labelled(lines: Iterable[bytes], source: str) -> Iterator[Row]:
    """A row with labels for each line that is not blank.

    Raises SettingError that names the line of `source` for one without a text or without labels.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            where = f"{source}, line {number}"
            document = _document(line)
            if not isinstance(document, dict):
                raise SettingError(f"{where}: expected a JSON object")
            yield Row(_text(document, where), _labels(document, where))


def _document(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def _text(row: Mapping[str, Any], where: str) -> str:
    if isinstance(row.get("text"), str):
        return asked(row["text"]).text
    request, answer = row.get("request"), row.get("answer", [])
    if not (_are_texts(request) and _are_texts(answer)):
        raise SettingError(f"{where}: expected a `text`, or the texts of a chat in `request` and `answer`")
    return excerpt(Texts(request=trimmed(request), answer=trimmed(answer)))


def _labels(row: Mapping[str, Any], where: str) -> tuple[str, ...]:
    labels = row.get("labels", row.get("topic"))
    labels = [labels] if isinstance(labels, str) else labels
    if not _are_texts(labels) or not labels or not all(labels):
        raise SettingError(f"{where}: expected `labels` or a `topic`: one name, or a list of names")
    return tuple(labels)


def _are_texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
