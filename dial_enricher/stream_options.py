"""The options of a stream: what `enrich`, `replay` and `doctor` share, and the Settings that they make."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import reduce
from pathlib import Path
from typing import Any

import click

from dial_enricher import logs
from dial_enricher.options import (
    Decorator,
    choice,
    env_file,
    option,
    topic_embeddings_model,
    topic_model,
)
from dial_enricher.profiles import Profile
from dial_enricher.settings import (
    ARCHIVE_RETRY_TIME,
    LONGEST_DELAY,
    MODEL_RATES,
    Accuracy,
    Ack,
    Destination,
    Format,
    Scope,
    Settings,
    Summary,
    chosen,
    read_rates,
)
from dial_enricher.sinks.influx.target import Version, read_target

_AUTO = "auto"
_ENUMERATIONS: dict[str, type[StrEnum]] = {
    "ack": Ack,
    "to": Destination,
    "format": Format,
    "schema": Profile,
    "language": Scope,
    "language_accuracy": Accuracy,
    "topics": Scope,
    "summary": Summary,
    "log_format": logs.LogFormat,
}


def _parts(text: str) -> Iterator[str]:
    """Reads `a,b,c`."""
    return filter(None, (part.strip() for part in text.split(",")))


def _codes(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(_parts((value or "").lower()))


def _columns(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for value in values for part in _parts(value))


def _output(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    return None if value == "-" else value


def _file(exists: bool = True) -> click.Path:
    return click.Path(exists=exists, dir_okay=False, path_type=Path)


schema = choice(
    "--schema",
    Profile,
    Settings.schema,
    "dial: the tags that DIAL's dashboards know. lean: only tags with few values; ids become fields.",
)
tag = option(
    "--tag", multiple=True, callback=_columns, metavar="COLUMN", help="Make a column a tag. Repeatable."
)
no_tag = option(
    "--no-tag", multiple=True, callback=_columns, metavar="COLUMN", help="Make a column a field. Repeatable."
)

_INPUT_OPTIONS: tuple[Decorator, ...] = (
    option(
        "--checkpoint",
        type=click.Path(dir_okay=False),
        help="Remember here how far each of FILES is done, and go on from there at the next start.",
    ),
    option(
        "--follow",
        is_flag=True,
        help="Read on while FILES grow, until told to stop. They may be patterns, as "
        "'/app/log/aidial-*.log': files that come later are read too.",
    ),
    choice(
        "--ack",
        Ack,
        Settings.ack,
        "rsyslog: answer its omprog (confirmMessages) on standard output when a record is stored. "
        "Needs --to influxdb or --output.",
    ),
)
_OPTIONS: tuple[Decorator, ...] = (
    env_file,
    choice(
        "--to",
        Destination,
        Settings.to,
        "Where points go. influxdb: the server that INFLUX_URL names, with INFLUX_ORG, INFLUX_BUCKET and "
        "INFLUX_API_TOKEN (version 2), INFLUX_DATABASE and INFLUX_API_TOKEN (3), or INFLUX_DATABASE, "
        "INFLUX_USERNAME and INFLUX_PASSWORD (1).",
    ),
    option(
        "--output",
        type=click.Path(dir_okay=False, allow_dash=True),
        callback=_output,
        help="Append points here, not to standard output.",
    ),
    choice("--influx-version", (_AUTO, *Version), _AUTO, "The version of the server; auto: ask it."),
    option("--influx-token-file", type=_file(), help="Read the token from here, not from INFLUX_API_TOKEN."),
    option("--influx-ca", type=_file(), help="Trust the certificates in this PEM file."),
    option(
        "--influx-timeout",
        type=click.FloatRange(min=0, max=LONGEST_DELAY, min_open=True),
        default=30.0,
        show_default=True,
        help="A request that has no answer after so many seconds has failed.",
    ),
    option(
        "--retry-time",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="Wait so long for a server that is away, then give its records up as dead letters. "
        f"[default: for ever in a stream, {ARCHIVE_RETRY_TIME:.0f} for FILES]",
    ),
    option(
        "--drain-time",
        type=click.FloatRange(min=0, max=LONGEST_DELAY),
        default=Settings.drain_time,
        show_default=True,
        help="Seconds to read and deliver what is on its way after SIGTERM or SIGINT.",
    ),
    choice("--format", Format, Settings.format, "Line protocol, or one JSON object for each point."),
    schema,
    tag,
    no_tag,
    choice(
        "--language", Scope, Settings.language, "Whose language to find: requests with a chat id, all, none."
    ),
    option(
        "--languages",
        callback=_codes,
        metavar="CODES",
        help="Only these languages, as en,de,uk. [default: 75]",
    ),
    choice(
        "--language-accuracy",
        Accuracy,
        Settings.language_accuracy,
        "low: small and fast. high: a little better, about 1 GB of memory.",
    ),
    choice("--topics", Scope, Settings.topics, "Whose topic to find: requests with a chat id, all, none."),
    topic_model,
    topic_embeddings_model,
    option(
        "--rates",
        type=_file(),
        help="Prices for deployments that DIAL Core has none for: a JSON file; the same text in the variable "
        f"{MODEL_RATES} does too.",
    ),
    option(
        "--dead-letter",
        type=click.Path(dir_okay=False, allow_dash=True),
        help="Append records in trouble here.",
    ),
    option("--dead-letter-content", is_flag=True, help="Keep their text too: it holds conversations."),
    option(
        "--dead-letter-max",
        type=click.IntRange(min=1),
        default=Settings.dead_letter_max,
        show_default=True,
        help="Stop when the file would have more bytes.",
    ),
    option("--strict", is_flag=True, help="Exit with 3 when there were dead letters."),
    option(
        "--max-line-bytes",
        type=click.IntRange(min=1),
        default=Settings.max_line_bytes,
        show_default=True,
        help="A longer line is dead.",
    ),
    option(
        "--batch-lines",
        type=click.IntRange(min=1),
        default=Settings.batch_lines,
        show_default=True,
        help="A batch leaves when it has so many lines,",
    ),
    option(
        "--max-delay",
        type=click.FloatRange(min=0, max=LONGEST_DELAY),
        default=Settings.max_delay,
        show_default=True,
        help="or when its first line has waited so many seconds.",
    ),
    choice(
        "--summary",
        Summary,
        Settings.summary,
        "The closing line; auto: on a terminal, or if something died.",
    ),
    choice("--log-level", ("debug", "info", "warning", "error"), Settings.log_level, "How much to say."),
    choice("--log-format", logs.LogFormat, Settings.log_format, "How to say it."),
    option("--log-file", type=_file(exists=False), help="Where to say it.  [default: stderr]"),
)


def stream_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """All of them, in the order in which they are shown."""
    return reduce(lambda inner, decorate: decorate(inner), reversed(_OPTIONS), command)


def input_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Those that say how FILES are read, or standard input."""
    return reduce(lambda inner, decorate: decorate(inner), reversed(_INPUT_OPTIONS), command)


def read_settings(options: dict[str, Any], environment: Mapping[str, str], *, archive: bool) -> Settings:
    """The Settings that options and environment make; `archive` when files are read to their end.

    Raises SettingError.
    """
    options = options | {
        name: chosen(kind, name, options[name]) for name, kind in _ENUMERATIONS.items() if name in options
    }
    version, token_file = options.pop("influx_version"), options.pop("influx_token_file")
    ca, timeout = options.pop("influx_ca"), options.pop("influx_timeout")
    if options["to"] is Destination.INFLUXDB:
        options["influx"] = read_target(
            environment,
            version=None if version == _AUTO else Version(version),
            token_file=token_file,
            ca=ca,
            timeout=timeout,
        )
    if options["retry_time"] is None and archive:
        options["retry_time"] = ARCHIVE_RETRY_TIME
    options["rates"] = read_rates(options["rates"], environment)
    return Settings(**options)
