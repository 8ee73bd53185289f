"""What a check has to say."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    """A run is possible, but may be other than was meant."""
    FAIL = "FAIL"


Said = Iterable[tuple[Level, str]]
"""The levels and words of one check; none where there was nothing to check."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    level: Level
    name: str
    """The check's."""
    words: str
    """What is so and, where that is wrong, what to do."""

    @property
    def failed(self) -> bool:
        return self.level is Level.FAIL


def counted(count: int, noun: str) -> str:
    """`1 model`, `2 models`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
