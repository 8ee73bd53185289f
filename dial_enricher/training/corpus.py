"""What is trained on: texts, and what people said about some of them."""

import gzip
import hashlib
import tomllib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from dial_enricher.errors import SettingError

LONGEST = 2000
"""Characters of a text that are used: a teacher reads no more."""
NONE = "none"
"""What the label files call texts that have no topic."""
_HELD_OUT = 15
"""One in so many reviewed texts is kept from training."""
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Topic:
    """A topic that somebody has named: its label, and the wider groups it belongs to."""

    label: str
    groups: tuple[str, ...] = ()


@dataclass
class Corpus:
    """Texts, each once, and the topics that reviewers gave to some of them."""

    texts: list[str] = field(default_factory=list)
    reviewed: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Position of a text -> keys of one or two topics, the better one first."""


def digest(text: str) -> str:
    """The name of a text in a label file that must not hold the text itself: 16 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def is_held_out(text: str) -> bool:
    """Whether a reviewed text is kept from training, to measure with; that depends on the text alone."""
    return int(digest(text), 16) % _HELD_OUT == 0


def read_corpus(files: Sequence[Path], labels: Sequence[Path]) -> Corpus:
    """The texts of `files` and `labels`, equal ones once; a label names its text, or the digest of one.

    `files` hold NDJSON rows with a `text`; `labels` rows with a `topic` (one or two keys), and a `text`,
    which is then trained on as well, or a `text_sha256`. Both may be compressed with gzip. Raises
    `SettingError`.
    """
    corpus = Corpus()
    places: dict[str, int] = {}
    for file in files:
        for row, where in _rows(file):
            _add(corpus, places, _text(row, where))
    for file in labels:
        for row, where in _rows(file):
            keys = _keys(row, where)
            if "text" in row:
                place = _add(corpus, places, _text(row, where))
            else:
                place = places.get(_digest(row, where))
            if place is not None:
                corpus.reviewed[place] = keys
    if not corpus.texts:
        raise SettingError("the corpus has no texts")
    return corpus


def read_topics(file: Path) -> Mapping[str, Topic]:
    """The reviewed names of topics by their keys: a TOML table with a `label` and `groups` each.

    Raises `SettingError`.
    """
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SettingError(f"cannot read {file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{file} is not TOML: {error}") from None
    return {key: _topic(table, f"{file}: {key}") for key, table in tables.items()}


def _topic(table: Any, where: str) -> Topic:
    label, groups = (table.get("label"), table.get("groups", [])) if isinstance(table, dict) else (None, [])
    if not (isinstance(label, str) and label):
        raise SettingError(f"{where}: expected a table with a label")
    if not (isinstance(groups, list) and all(isinstance(group, str) for group in groups)):
        raise SettingError(f"{where}: expected a list of names as groups")
    return Topic(label, tuple(groups))


def _add(corpus: Corpus, places: dict[str, int], text: str) -> int | None:
    """The place of a text, which is new or known; None for a blank one."""
    text = text.strip()[:LONGEST]
    if not text:
        return None
    name = digest(text)
    if name not in places:
        places[name] = len(corpus.texts)
        corpus.texts.append(text)
    return places[name]


def _rows(file: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """The rows of an NDJSON file, each with the place to name in an error."""
    try:
        content = file.read_bytes()
        if content.startswith(_GZIP):
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise SettingError(f"cannot read {file}: {getattr(error, 'strerror', None) or error}") from None
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            where = f"{file}:{number}"
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError:
                raise SettingError(f"{where}: not JSON") from None
            if not isinstance(row, dict):
                raise SettingError(f"{where}: expected an object")
            yield row, where


def _text(row: Mapping[str, Any], where: str) -> str:
    text = row.get("text")
    if not isinstance(text, str):
        raise SettingError(f"{where}: expected a text")
    return text


def _digest(row: Mapping[str, Any], where: str) -> str:
    name = row.get("text_sha256")
    if not isinstance(name, str):
        raise SettingError(f"{where}: expected a text or a text_sha256")
    return name


def _keys(row: Mapping[str, Any], where: str) -> tuple[str, ...]:
    keys = row.get("topic")
    keys = [keys] if isinstance(keys, str) else keys
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) and key for key in keys):
        raise SettingError(f"{where}: expected a topic: one key, or a list of keys")
    return tuple(keys)
