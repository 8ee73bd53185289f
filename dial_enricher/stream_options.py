"""The options of a stream: what `enrich`, `replay` and `doctor` share, and the Settings that they make."""

import os
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import reduce
from pathlib import Path
from typing import Any

import click

from dial_enricher import logs
from dial_enricher.inputs.sources import parse_shard
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
    ProgressShown,
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
    "progress": ProgressShown,
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
        type=click.Path(allow_dash=True),
        callback=_output,
        help="Append points here, not to standard output. A directory, or a name that ends in /, gets a "
        "packed file for each of FILES; what is done is skipped by the next run.",
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
        "--workers",
        type=click.IntRange(min=1),
        default=Settings.workers,
        show_default=True,
        help="Processes that find languages and topics; 1: no other than this one.",
    ),
    option(
        "--rates",
        type=_file(),
        help="Prices for deployments that DIAL Core has none for: a JSON file; the same text in the variable "
        f"{MODEL_RATES} does too.",
    ),
    option(
        "--dead-letter",
        type=click.Path(allow_dash=True),
        help="Append records in trouble here; with --output DIRECTORY a directory too.",
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
    option(
        "--summary-file",
        type=_file(exists=False),
        help="Write all figures of the run here when it has ended, as JSON.",
    ),
    choice(
        "--progress",
        ProgressShown,
        Settings.progress,
        "How far the run is, on stderr; auto: on a terminal, while FILES are read.",
    ),
    choice("--log-level", ("debug", "info", "warning", "error"), Settings.log_level, "How much to say."),
    choice("--log-format", logs.LogFormat, Settings.log_format, "How to say it."),
    option("--log-file", type=_file(exists=False), help="Where to say it.  [default: stderr]"),
)


def stream_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """All of them, in the order in which they are shown."""
    return reduce(lambda inner, decorate: decorate(inner), reversed(_OPTIONS), command)


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
    if options.get("shard") is not None:
        options["shard"] = parse_shard(options["shard"])
    output = options["output"]
    if output is not None and (output.endswith("/") or os.path.isdir(output)):
        options["output"], options["output_directory"] = None, output
    options["rates"] = read_rates(options["rates"], environment)
    return Settings(**options)
