"""The command line: flags and environment become Settings, outcomes become exit codes. Nothing else."""

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from dial_enricher import __version__, logs
from dial_enricher.assemble import assemble
from dial_enricher.batch import Batcher
from dial_enricher.errors import SettingError, SinkClosed, SinkDown
from dial_enricher.options import (
    EXIT_ERROR,
    EXIT_PIPE_CLOSED,
    WrongSetting,
    choice,
    env_file,
    option,
    topic_embeddings_model,
    topic_model,
)
from dial_enricher.pipeline import Pipeline, where
from dial_enricher.reader import STDIN, Drain, InputFailed, Reader
from dial_enricher.report import report
from dial_enricher.schema_text import FORMATS
from dial_enricher.settings import (
    LONGEST_DELAY,
    MODEL_RATES,
    Accuracy,
    Format,
    Scope,
    Settings,
    Summary,
    chosen,
    read_rates,
)
from dial_enricher.signals import Stop, exit_code
from dial_enricher.sinks.deadletter import DeadLetters
from dial_enricher.sinks.descriptor import check_open, leave_quietly
from dial_enricher.sinks.stdout import StdoutSink
from dial_enricher.topics_cli import topics
from dial_enricher.train_cli import train

EXIT_STRICT = 3
_MAX_BATCH_BYTES = 2 * 1024 * 1024
_DEFAULT = "enrich"
_EXIT_CODES = """\b
Exit codes:
  0    done; dead letters alone do not change that
  1    stopped by an error: an input cannot be read, an output cannot be written, or a bug
  2    a wrong option or setting
  3    done, but with dead letters, and --strict was given
  130  stopped by SIGINT, 143 by SIGTERM, after what was read had been written
  141  the reader of standard output went away
"""


class _DefaultGroup(click.Group):
    """A group whose main command need not be named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = args and (args[0] in self.commands or args[0] in ("--help", "-h", "--version"))
        completing = ctx.resilient_parsing and not args
        return super().parse_args(ctx, args if named or completing else [_DEFAULT, *args])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        default = self.commands[_DEFAULT]
        inner = default.make_context(_DEFAULT, [], parent=ctx, resilient_parsing=True)
        return super().shell_complete(ctx, incomplete) + default.shell_complete(inner, incomplete)


def _codes(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(code.strip().lower() for code in (value or "").split(",") if code.strip())


_ENUMERATIONS: dict[str, type[StrEnum]] = {
    "format": Format,
    "language": Scope,
    "language_accuracy": Accuracy,
    "topics": Scope,
    "summary": Summary,
    "log_format": logs.LogFormat,
}
_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(cls=_DefaultGroup, context_settings=_HELP)
@click.version_option(__version__, prog_name="dial-enricher")
def main() -> None:
    """Turn the logs of AI DIAL Core into points of usage, cost, language and topic.

    Reads DIAL log lines (JSON, one a line) and writes InfluxDB line protocol, one point a line. `enrich` is
    the default command, so that a pipe is all it takes:

    \b
      cat aidial-2026-11-20.0.log | dial-enricher > points.lp
      zcat archive/*.log.gz | dial-enricher --language off > points.lp

    It never writes the text of a conversation, to any output. All options: dial-enricher enrich --help
    """


@main.command(epilog=_EXIT_CODES)
@click.argument(
    "files", nargs=-1, type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True)
)
@env_file
@choice("--format", Format, Settings.format, "Line protocol, or one JSON object for each point.")
@choice("--language", Scope, Settings.language, "Whose language to find: requests with a chat id, all, none.")
@option(
    "--languages", callback=_codes, metavar="CODES", help="Only these languages, as en,de,uk. [default: 75]"
)
@choice(
    "--language-accuracy",
    Accuracy,
    Settings.language_accuracy,
    "low: small and fast. high: a little better, about 1 GB of memory.",
)
@choice(
    "--topics",
    Scope,
    Settings.topics,
    "Whose topic to find: requests with a chat id, all, none.",
)
@topic_model
@topic_embeddings_model
@option(
    "--rates",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Prices for deployments that DIAL Core has none for: a JSON file; the same text in the variable "
    f"{MODEL_RATES} does too.",
)
@option(
    "--dead-letter", type=click.Path(dir_okay=False, allow_dash=True), help="Append records in trouble here."
)
@option("--dead-letter-content", is_flag=True, help="Keep their text too: it holds conversations.")
@option("--strict", is_flag=True, help="Exit with 3 when there were dead letters.")
@option(
    "--max-line-bytes",
    type=click.IntRange(min=1),
    default=Settings.max_line_bytes,
    show_default=True,
    help="A longer line is dead.",
)
@option(
    "--batch-lines",
    type=click.IntRange(min=1),
    default=Settings.batch_lines,
    show_default=True,
    help="A batch leaves when it has so many lines,",
)
@option(
    "--max-delay",
    type=click.FloatRange(min=0, max=LONGEST_DELAY),
    default=Settings.max_delay,
    show_default=True,
    help="or when its first line has waited so many seconds.",
)
@choice(
    "--summary", Summary, Settings.summary, "The closing line; auto: on a terminal, or if something died."
)
@choice("--log-level", ("debug", "info", "warning", "error"), Settings.log_level, "How much to say.")
@choice("--log-format", logs.LogFormat, Settings.log_format, "How to say it.")
@option(
    "--log-file", type=click.Path(dir_okay=False, path_type=Path), help="Where to say it.  [default: stderr]"
)
@click.pass_context
def enrich(ctx: click.Context, /, files: Sequence[str], rates: Path | None, **options: Any) -> None:
    """Turn log lines into points: those of FILES, or of standard input (also `-`)."""
    if not files and sys.stdin is not None and sys.stdin.isatty():
        click.echo((ctx.parent or ctx).get_help())
        return
    try:
        _check_descriptors(files)
        stop = Stop()
        stop.listen()  # before the slow parts: a signal during the start must not lose what the pipe holds
        settings = _settings(options, rates)
        logs.set_up(settings.log_level, settings.log_format, settings.log_file)
        graveyard = DeadLetters(settings.dead_letter, with_content=settings.dead_letter_content)
        pipeline = assemble(settings, StdoutSink(), graveyard)
    except (SettingError, SinkDown) as error:
        raise WrongSetting(str(error)) from None
    batcher = Batcher(settings.batch_lines, _MAX_BATCH_BYTES, settings.max_delay)
    reader = Reader(files or (STDIN,), batcher, settings.max_line_bytes, stop, Drain())
    ctx.exit(_run(pipeline, reader, settings, stop))


def _run(pipeline: Pipeline, reader: Reader, settings: Settings, stop: Stop) -> int:
    """Runs the stream to its end; the exit code."""
    try:
        pipeline.run(reader.batches())
    except SinkClosed:
        leave_quietly(1)
        return EXIT_PIPE_CLOSED
    except (SinkDown, InputFailed) as error:
        logs.LOGGER.error("stopped: %s", error)
        report(pipeline.stats, settings)
        return EXIT_ERROR
    except Exception as error:
        logs.LOGGER.error("stopped by a bug, please report it: %s", where(error))
        return EXIT_ERROR
    report(pipeline.stats, settings)
    if stop.signal is not None:
        return exit_code(stop.signal)
    return EXIT_STRICT if settings.strict and pipeline.stats.dead else 0


def _settings(options: dict[str, Any], rates: Path | None) -> Settings:
    choices = {name: chosen(kind, name, options[name]) for name, kind in _ENUMERATIONS.items()}
    return Settings(**options | choices, rates=read_rates(rates, os.environ))


def _check_descriptors(files: Sequence[str]) -> None:
    """A descriptor that was closed before the start would be taken by the next file that is opened."""
    if not files or STDIN in files:
        check_open(0, "standard input")
    check_open(1, "standard output")
    if sys.stderr is None:
        os.open(os.devnull, os.O_WRONLY)


@main.command()
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="markdown", show_default=True)
def schema(form: str) -> None:
    """Print the measurements with their tags and fields."""
    click.echo(FORMATS[form]())


main.add_command(topics)
topics.add_command(train)
