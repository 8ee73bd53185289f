"""Every setting, its default and the environment variable that sets it. Checked here, connects to nothing."""

import os
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatch
from pathlib import Path, PurePath
from typing import TypeVar

from dial_enricher.errors import SettingError
from dial_enricher.inputs.sources import OUTPUT_REMEMBERS, STDIN, Shard, is_url, shown
from dial_enricher.logs import LogFormat
from dial_enricher.profiles import Profile, profile
from dial_enricher.rates import Rate, parse_rates
from dial_enricher.selection import selection
from dial_enricher.signals import DRAIN_SECONDS
from dial_enricher.sinks.influx.target import Target

ENV_PREFIX = "DIAL_ENRICHER_"
MODEL_RATES = "MODEL_RATES"
TOPIC_MODEL = "TOPIC_MODEL"
TOPIC_EMBEDDINGS_MODEL = "TOPIC_EMBEDDINGS_MODEL"
"""These are the customer's own names; everything else is our prefix and the option's name."""
LONGEST_DELAY = 3600
"""Seconds."""
ARCHIVE_RETRY_TIME = 600.0
"""Seconds that an outage is waited for when files are read: they are still there for another run."""
_STDOUT = "/dev/fd/1"
_Choice = TypeVar("_Choice", bound=StrEnum)


class Destination(StrEnum):
    STDOUT = "stdout"
    INFLUXDB = "influxdb"


class Ack(StrEnum):
    """Who waits on standard output for answers."""

    OFF = "off"
    RSYSLOG = "rsyslog"


class Format(StrEnum):
    LP = "lp"
    JSON = "json"


class Scope(StrEnum):
    """Which requests an enricher looks at."""

    CHAT = "chat"
    ALL = "all"
    OFF = "off"


class Accuracy(StrEnum):
    LOW = "low"
    HIGH = "high"


class Summary(StrEnum):
    ALWAYS = "always"
    AUTO = "auto"
    NEVER = "never"


class ProgressShown(StrEnum):
    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True)
class Settings:
    """What the parts are built from. Raises SettingError for a value that makes no sense."""

    checkpoint: str | None = None
    follow: bool = False
    ack: Ack = Ack.OFF
    recursive: bool = False
    """Whether directories stand for the files of those below them as well."""
    shard: Shard | None = None
    """The part of the sources that is read; None: all."""
    since: str | None = None
    """ISO 8601, UTC where it names no zone."""
    until: str | None = None
    """ISO 8601, exclusive."""
    where: tuple[str, ...] = ()
    """Conditions on columns, as `deployment=gpt-4o`."""
    to: Destination = Destination.STDOUT
    output: str | None = None
    """A file in place of standard output."""
    output_directory: str | None = None
    """In place of both: a directory that gets a file for each input."""
    jobs: int = 1
    """Inputs at a time, of those that get a file each."""
    influx: Target | None = None
    """Needed by the destination influxdb, and by it alone."""
    retry_time: float | None = None
    """Seconds; None: for ever."""
    drain_time: float = DRAIN_SECONDS
    """Seconds."""
    format: Format = Format.LP
    schema: Profile = Profile.DIAL
    tag: tuple[str, ...] = ()
    """Columns that are tags, whatever the schema says."""
    no_tag: tuple[str, ...] = ()
    """Columns that are fields, whatever the schema says."""
    language: Scope = Scope.CHAT
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes; none: all that lingua knows."""
    language_accuracy: Accuracy = Accuracy.LOW
    topics: Scope = Scope.CHAT
    topic_model: str | None = None
    """A path or a name on Hugging Face; None: the model at hand, if there is one."""
    topic_embeddings_model: str | None = None
    """A path or a name on Hugging Face; None: the one that the topic model brings or names."""
    workers: int = 1
    """Processes that find languages and topics; with one this process does it itself."""
    rates: Mapping[str, Rate] = field(default_factory=dict)
    dead_letter: str | None = None
    dead_letter_content: bool = False
    dead_letter_max: int = 1024**3
    """Bytes."""
    max_line_bytes: int = 32 * 1024 * 1024
    batch_lines: int = 500
    max_delay: float = 0.5
    """Seconds."""
    strict: bool = False
    summary: Summary = Summary.AUTO
    summary_file: Path | None = None
    """It gets all figures of the run, when that has ended."""
    progress: ProgressShown = ProgressShown.AUTO
    log_level: str = "warning"
    log_format: LogFormat = LogFormat.TEXT
    log_file: Path | None = None

    def __post_init__(self) -> None:
        if self.dead_letter_content and self.dead_letter is None:
            raise SettingError("--dead-letter-content needs --dead-letter FILE")
        if self.to is Destination.INFLUXDB and (self.output or self.output_directory) is not None:
            raise SettingError("--output names a file for points, but --to influxdb sends them to the server")
        self._check_directory()
        if self.output_directory is not None and self.workers > 1:
            raise SettingError("--workers shares out one stream: with --output DIRECTORY use --jobs")
        if self.ack is not Ack.OFF and self.to is Destination.STDOUT and self.output is None:
            raise SettingError(
                f"with --ack {self.ack} standard output is for answers: use --to influxdb or --output FILE"
            )
        if self.ack is not Ack.OFF and self.follow:
            raise SettingError(f"--ack {self.ack} reads standard input: there is nothing to --follow")
        if self.to is Destination.INFLUXDB and self.influx is None:
            raise SettingError("the destination influxdb needs a target")
        if self.to is Destination.INFLUXDB and self.format is not Format.LP:
            raise SettingError(f"--to influxdb writes line protocol, not --format {self.format}")
        selection(self.since, self.until, self.where, profile(self.schema, self.tag, self.no_tag))
        for name in ("max_line_bytes", "batch_lines", "dead_letter_max", "jobs", "workers"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be 1 or more")
        for name in ("max_delay", "drain_time"):
            if not 0 <= getattr(self, name) <= LONGEST_DELAY:
                raise SettingError(f"{name} must be 0 to {LONGEST_DELAY} seconds")
        if self.retry_time is not None and not self.retry_time >= 0:
            raise SettingError("retry_time must be 0 seconds or more")

    def _check_directory(self) -> None:
        if self.output_directory is None:
            if self.jobs > 1:
                raise SettingError(
                    "--jobs needs --output DIRECTORY, where each of FILES gets a file of its own"
                )
            return
        streams = {"--checkpoint": self.checkpoint, "--follow": self.follow, "--ack": self.ack is not Ack.OFF}
        for flag in [flag for flag, wanted in streams.items() if wanted]:
            raise SettingError(
                f"{flag} makes one stream of points: --output has to be a file, not a directory"
            )
        if self.dead_letter == "-":
            raise SettingError("--dead-letter has to name a directory, as --output does")

    @property
    def written(self) -> dict[str, str]:
        """The files that are written, by the option that names them."""
        names = {
            "--output": self.output,
            "--checkpoint": self.checkpoint,
            "--dead-letter": None if self.dead_letter == "-" or self.output_directory else self.dead_letter,
            "--summary-file": None if self.summary_file is None else str(self.summary_file),
            "--log-file": None if self.log_file is None else str(self.log_file),
        }
        return {flag: name for flag, name in names.items() if name is not None}

    @property
    def comes_again(self) -> bool:
        """Whether the input gives a record again that could not be delivered."""
        return self.checkpoint is not None or self.ack is not Ack.OFF


def chosen(kind: type[_Choice], name: str, value: str) -> _Choice:
    """The member of an enumeration that a setting names. Raises SettingError."""
    try:
        return kind(value)
    except ValueError:
        raise SettingError(f"{name} must be one of {', '.join(kind)}, not {value!r}") from None


def read_rates(file: Path | None, environment: Mapping[str, str]) -> Mapping[str, Rate]:
    """The rates of a file, else of MODEL_RATES in the environment, else none. Raises SettingError."""
    if file is None:
        document = environment.get(MODEL_RATES, "")
        return parse_rates(document, MODEL_RATES) if document.strip() else {}
    try:
        return parse_rates(file.read_bytes(), str(file))
    except OSError as error:
        raise SettingError(f"cannot read {file}: {error.strerror}") from None


def check_sources(settings: Settings, sources: Sequence[str]) -> None:
    """Raises SettingError when the sources cannot be read in the way that is asked for."""
    _check_archive(settings, sources)
    if settings.ack is not Ack.OFF:
        if list(sources) != [STDIN]:
            raise SettingError(f"--ack {settings.ack} reads standard input: name no FILES")
    elif settings.follow and (directories := [name for name in sources if os.path.isdir(name)]):
        name = directories[0]
        raise SettingError(f"{name} is a directory: name the files in it, as '{os.path.join(name, '*.log')}'")
    elif flag := "--follow" if settings.follow else "--checkpoint" if settings.checkpoint else "":
        if STDIN in sources:
            raise SettingError(f"{flag} needs FILES: standard input cannot be read again")
        if urls := [name for name in sources if is_url(name)]:
            raise SettingError(
                f"{flag} needs files of this machine, not {shown(urls[0])}; {OUTPUT_REMEMBERS}"
            )


def _check_archive(settings: Settings, sources: Sequence[str]) -> None:
    """Raises SettingError when files are to be looked for, or shared, where there are none."""
    for flag, wanted in (("--shard", settings.shard is not None), ("--recursive", settings.recursive)):
        if wanted and settings.follow:
            raise SettingError(f"{flag} is for FILES that are there: it does not go with --follow")
    if settings.shard is not None and STDIN in sources:
        raise SettingError("--shard takes a part of FILES: there is none of standard input")
    if settings.output_directory is not None and STDIN in sources:
        raise SettingError("--output names a directory: standard input has no name for a file in it")


def check_no_loop(settings: Settings, sources: Sequence[str]) -> None:
    """Raises SettingError when a file would be written that is read, or written for two purposes."""
    written: dict[str, str] = {}
    for flag, name in settings.written.items():
        for other, taken in written.items():
            if _same(name, taken):
                raise SettingError(f"{flag} and {other} are the same file, {name}: name another one")
        for source in sources:
            if _same(name, source) or (settings.follow and _fits(name, source)):
                raise SettingError(f"{flag} {name} is being read: name another file")
        written[flag] = name
    if os.path.isfile(_STDOUT):
        for source in filter(os.path.isfile, sources):
            if os.path.samefile(_STDOUT, source):
                raise SettingError(
                    f"standard output goes to {source}, which is being read: name another file"
                )


def _same(name: str, other: str) -> bool:
    """Whether two names lead to one file, or would if there were any."""
    if os.path.isfile(name) and os.path.isfile(other):
        return os.path.samefile(name, other)
    is_device = os.path.exists(name) and not os.path.isfile(name)
    return not is_device and os.path.realpath(name) == os.path.realpath(other)


def _fits(name: str, pattern: str) -> bool:
    """Whether a file would be followed; with `**`, whether one in its place or below it would be."""
    name, pattern = os.path.realpath(name), os.path.realpath(pattern)
    return fnmatch(name, pattern.replace("**/", "*")) if "**" in pattern else PurePath(name).match(pattern)


def load_env_file(file: Path, environment: MutableMapping[str, str]) -> None:
    """Adds the variables of a `.env` file to those that are set already. Raises SettingError."""
    from dotenv import dotenv_values

    try:
        variables = dotenv_values(file, interpolate=False)  # a password may hold a $
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"cannot read {file}: {type(error).__name__}") from None
    for name, value in variables.items():
        if value is not None:
            environment.setdefault(name, value)
