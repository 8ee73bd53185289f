"""The doctor: what a run would need, checked one by one, without a run.

- parts.py: the settings and what they load: rates, language, topics
- influx.py: the server, whether it would take a write, a trial of it
- paths.py: the files that are read, and those that are written besides the points
- clock.py: the time

To add a check: a generator of levels and words in one of these, a row in CHECKS. It may raise SettingError
and SinkDown, which are failures. Its words never hold a secret or the text of a record.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dial_enricher.doctor import clock, parts, paths
from dial_enricher.doctor.finding import Finding, Level, Said
from dial_enricher.doctor.influx import Talk
from dial_enricher.doctor.paths import Sampler
from dial_enricher.errors import SettingError, SinkDown, where
from dial_enricher.settings import Settings

__all__ = ["CHECKS", "Case", "Finding", "Level", "examine"]


@dataclass(slots=True)
class Case:
    """What a run would be given, and what the checks learn on the way for those after them."""

    settings: Settings
    """Without rates: they have a check of their own."""
    wrong: str = ""
    """Why these are not the settings that were asked for, but what is left of them."""
    rates_file: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[str] = ()
    write_test: bool = False
    talk: Talk = field(init=False)
    sampler: Sampler = field(init=False)

    def __post_init__(self) -> None:
        self.talk = Talk(self.settings.influx)
        self.sampler = Sampler(self.settings)


CHECKS: dict[str, Callable[[Case], Said]] = {
    "settings": lambda case: parts.settings(case.settings, case.wrong),
    "rates": lambda case: parts.rates(case.rates_file, case.environment),
    "language": lambda case: parts.language(
        case.settings.language, case.settings.languages, case.settings.language_accuracy
    ),
    "topics": lambda case: parts.topics(
        case.settings.topics, case.settings.topic_model, case.settings.topic_embeddings_model
    ),
    "server": lambda case: case.talk.reach(),
    "access": lambda case: case.talk.access(),
    "write test": lambda case: case.talk.write() if case.write_test else (),
    "files": lambda case: case.sampler.look(case.files),
    "checkpoint": lambda case: paths.checkpoint(case.settings, case.files),
    "output": lambda case: paths.output(case.settings),
    "dead letters": lambda case: paths.dead_letters(case.settings, case.files),
    "summary file": lambda case: paths.summary(case.settings.summary_file),
    "log file": lambda case: paths.log_file(case.settings.log_file),
    "clock": lambda case: clock.clock(datetime.now(UTC), case.talk.date, case.sampler.newest),
}
"""In the order in which they are made and shown."""


def examine(case: Case) -> Iterator[Finding]:
    """Makes every check; one that breaks is a failure, and stops no other."""
    for name, check in CHECKS.items():
        try:
            for level, words in check(case):
                yield Finding(level, name, words)
        except (SettingError, SinkDown) as error:
            yield Finding(Level.FAIL, name, str(error))
        except Exception as error:
            yield Finding(Level.FAIL, name, f"stopped by a bug, please report it: {where(error)}")
