"""The marker beside an output: its input, the settings, and what became of the lines."""

import json
import os
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from dial_enricher.errors import SettingError
from dial_enricher.inputs.sources import Source, is_url, shown
from dial_enricher.settings import Settings
from dial_enricher.stats import Stats

_VERSION = 2
SHAPING = (
    "format",
    "schema",
    "tag",
    "no_tag",
    "language",
    "languages",
    "language_accuracy",
    "topics",
    "topic_model",
    "topic_embeddings_model",
    "rates",
    "max_line_bytes",
    "since",
    "until",
    "where",
    "dead_letter",
    "dead_letter_content",
)
"""The settings that the files of a place depend on: with others they are made again."""


@dataclass(frozen=True, slots=True)
class Basis:
    """An input as it was before it was read, and the settings."""

    source: str
    """Its URL, or its path, without links and from the root."""
    size: int | None
    """Bytes; None when nobody knows."""
    mtime_ns: int | None
    """None for what is no local file."""
    settings: str


_BASIS = [field.name for field in fields(Basis)]


def basis(source: Source, fingerprint: str) -> Basis:
    """What an input is now."""
    name = source.name if is_url(source.name) else os.path.realpath(source.name)
    try:
        status = os.stat(source.name)
    except OSError:  # elsewhere, or gone: who opens it will know
        return Basis(name, source.size, None, fingerprint)
    return Basis(name, status.st_size, status.st_mtime_ns, fingerprint)


def fingerprint(settings: Settings) -> str:
    """The same for settings that make the same files."""
    chosen = {name: getattr(settings, name) for name in SHAPING}
    chosen["rates"] = sorted(settings.rates.items())
    chosen["dead_letter"] = settings.dead_letter is not None  # where they lie changes nothing in them
    return sha256(json.dumps(chosen, default=str).encode()).hexdigest()[:16]


def document(basis: Basis, output_bytes: int, stats: Stats, program: str) -> bytes:
    """The document for an output that is done."""
    columns = asdict(basis) | {
        "output_size": output_bytes,
        "lines": stats.lines,
        "points": stats.points.total(),
        "dead": {code: stats.dead[code] for code in sorted(stats.dead)},
        "program": program,
    }
    return json.dumps({"version": _VERSION, **columns}).encode() + b"\n"


def is_done(marker: Path, output: Path, wanted: Basis) -> bool:
    """Whether an output is there, whole, and made of what is wanted.

    Not looked at is which version of the program made it: an update alone is no reason to do years again.
    Raises SettingError when the marker tells of another input: what was made of that is not to be lost.
    """
    columns = _read(marker)
    if columns is None:  # then it is made anew, whatever lies there
        return False
    _check_ours(marker, output, columns.get("source"), wanted.source)
    try:
        size = output.stat().st_size
    except OSError:
        return False
    told = {name: columns.get(name) for name in ("output_size", *_BASIS)}
    return told == {"output_size": size} | asdict(wanted)


def _read(marker: Path) -> dict[str, Any] | None:
    """What a marker tells; None when there is none, or none of the form that is written now."""
    try:
        columns: Any = json.loads(marker.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return columns if isinstance(columns, dict) and columns.get("version") == _VERSION else None


def _check_ours(marker: Path, output: Path, made_of: Any, wanted: str) -> None:
    if isinstance(made_of, str) and made_of != wanted:
        raise SettingError(
            f"{shown(str(output))} was made of {shown(made_of)}, and would be made of {shown(wanted)} now:"
            f" name another --output, or delete {shown(str(marker))} if the file was only moved"
        )
