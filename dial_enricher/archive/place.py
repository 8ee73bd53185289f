"""Where the output of each input goes, and what lies beside it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dial_enricher.errors import SettingError
from dial_enricher.inputs.outputs import LETTERS, MARKER, POINTS, Outputs
from dial_enricher.inputs.sources import Source, shown
from dial_enricher.settings import Settings


@dataclass(frozen=True, slots=True)
class Place:
    """An input, and the files that are made of it."""

    source: Source
    output: Path
    letters: Path | None
    """For dead letters; None when they are not wanted."""

    @property
    def marker(self) -> Path:
        """The file that tells that the output is done."""
        return self.output.with_name(f"{self.output.name}{MARKER}")


def places(settings: Settings, sources: Sequence[Source]) -> list[Place]:
    """The place of each input. Raises SettingError for two that have the same, or an input among them."""
    assert settings.output_directory is not None
    output, letters = Path(settings.output_directory), settings.dead_letter
    _check_apart(sources, "--output", settings.output_directory)
    if letters is not None:
        if os.path.exists(letters) and not os.path.isdir(letters):
            raise SettingError(
                f"--dead-letter {shown(letters)} is a file: name a directory, as --output does"
            )
        _check_apart(sources, "--dead-letter", letters)
    found = [
        Place(
            source,
            output / f"{source.inside}{POINTS[settings.format]}",
            None if letters is None else Path(letters) / f"{source.inside}{LETTERS}",
        )
        for source in sources
    ]
    _check_distinct(found)
    return found


def _check_apart(sources: Sequence[Source], flag: str, directory: str) -> None:
    """Raises SettingError when the next run could take for an input what this one writes."""
    outputs = Outputs([directory])
    for source in sources:
        if os.path.exists(source.name) and outputs.hold(source.name):
            raise SettingError(
                f"{shown(source.name)} lies in the directory of {flag}: name one that holds no input"
            )


def _check_distinct(places: Sequence[Place]) -> None:
    taken: dict[Path, Source] = {}
    for place in places:
        other = taken.setdefault(place.output, place.source)
        if other is not place.source:
            raise SettingError(
                f"{shown(other.name)} and {shown(place.source.name)} would both become"
                f" {shown(str(place.output))}: name a directory above both, or enrich one of them elsewhere"
            )
