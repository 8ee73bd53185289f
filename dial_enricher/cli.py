"""The command line: flags and environment become Settings, outcomes become exit codes. Nothing else."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from dial_enricher import __version__, logformat, logs
from dial_enricher import replay as dead_letters
from dial_enricher.assemble import (
    assemble,
    make_graveyard,
    make_input,
    make_progress,
    make_sink,
    make_sources,
)
from dial_enricher.doctor_cli import doctor
from dial_enricher.errors import Code, SettingError, SinkClosed, SinkDown, where
from dial_enricher.event import Event, Line
from dial_enricher.input_options import input_options
from dial_enricher.inputs.sources import STDIN, Source
from dial_enricher.options import EXIT_ERROR, EXIT_PIPE_CLOSED, EXIT_SETTING, WrongSetting
from dial_enricher.profiles import Profile, profile
from dial_enricher.report import Run, check_summary, report, save_summary
from dial_enricher.schema_text import FORMATS
from dial_enricher.settings import Format, Settings, check_no_loop, check_sources, chosen
from dial_enricher.signals import AWAY, Stop, exit_code
from dial_enricher.sinks.descriptor import check_open, leave_quietly
from dial_enricher.stats import Stats
from dial_enricher.stream_options import no_tag, read_settings, schema, stream_options, tag
from dial_enricher.topics_cli import topics
from dial_enricher.train_cli import train

EXIT_STRICT = 3
EXIT_UNDELIVERED = 4
_DEFAULT = "enrich"
_Decode = Callable[[Line], list[Event]]
_EXIT_CODES = """\b
Exit codes:
  0    done; dead letters alone do not change that
  1    an input cannot be read, or not to its end: the others are done; or stopped by an error: an output
       cannot be written, or a bug
  2    a wrong option or setting; also one that InfluxDB refuses: a token, a database
  3    done, but with dead letters, and --strict was given
  4    done or stopped, but InfluxDB was away for too long: the undelivered records are dead letters, or,
       with --checkpoint or --ack, are read again at the next start
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


_FILES = click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True)


@main.command(epilog=_EXIT_CODES)
@click.argument("files", nargs=-1, type=click.Path(readable=False))
@input_options
@stream_options
@click.pass_context
def enrich(ctx: click.Context, /, files: Sequence[str], **options: Any) -> None:
    """Turn log lines into points: those of FILES, or of standard input (also `-`).

    FILES are files, directories, quoted patterns as 'logs/**/*.gz', and URLs as s3://bucket/logs. What is
    packed by gzip, zstd, bzip2 or xz is unpacked, whatever its name.
    """
    if not files and sys.stdin is not None and sys.stdin.isatty():
        click.echo((ctx.parent or ctx).get_help())
        return
    ctx.exit(_stream(files or (STDIN,), options, logformat.decode))


@main.command(epilog=_EXIT_CODES)
@click.argument("files", nargs=-1, required=True, type=_FILES)
@stream_options
@click.pass_context
def replay(ctx: click.Context, /, files: Sequence[str], **options: Any) -> None:
    """Send dead letters through the stream again: those of FILES, or of standard input (`-`).

    A letter of a record that could not be delivered holds its points, and that is enough. Any other one has
    to be written with --dead-letter-content: it is read as the log line that it holds. Nothing is counted
    twice: what was stored already is stored again as it was.
    """
    if options["format"] != Format.LP:
        raise WrongSetting("letters hold points in line protocol: there is no replay with another --format")
    ctx.exit(_stream(files, options, dead_letters.decode, dead_letters.GROWTH))


def _stream(arguments: Sequence[str], options: dict[str, Any], decode: _Decode, growth: int = 1) -> int:
    """Builds the parts and runs the stream to its end; the exit code.

    `growth` is how many times longer than a record a line may be.
    """
    run = Run()
    try:
        _check_descriptors(arguments)
        stop = Stop(options["drain_time"])
        stop.listen()  # before the slow parts: a signal during the start must not lose what the pipe holds
        settings = read_settings(
            options, os.environ, archive=STDIN not in arguments and not options.get("follow")
        )
        check_sources(settings, arguments)
        sources = make_sources(settings, arguments)
        check_no_loop(settings, [source.name for source in sources])
        check_summary(settings)
        logs.set_up(settings.log_level, settings.log_format, settings.log_file)
        begin = _pipeline if settings.output_directory is None else _archive
        work = begin(settings, sources, stop, run, decode, growth)
    except SettingError as error:
        raise WrongSetting(str(error)) from None
    except SinkDown as error:
        kind = WrongSetting if error.misconfigured else click.ClickException
        raise kind(str(error)) from None
    code = _run(work, settings, stop, run)
    run.failures = work.failures
    return save_summary(work.stats, settings, run, __version__, code)


class _Work(NamedTuple):
    """What is to be run, and what it tells of itself."""

    run: Callable[[], None]
    stats: Stats
    failures: list[str]
    """A sentence for each source that could not be read, or not to its end."""


def _pipeline(
    settings: Settings, sources: Sequence[Source], stop: Stop, run: Run, decode: _Decode, growth: int
) -> _Work:
    """One stream of all sources. Raises SettingError, SinkDown."""
    sink, graveyard = make_sink(settings, stop), make_graveyard(settings, stop)
    run.progress = make_progress(settings, sources)
    reader, witness = make_input(settings, sources, stop, (sink, graveyard), growth, run.progress)
    pipeline = assemble(settings, sink, graveyard, decode, witness)
    batches = run.progress.watch(reader.batches(), pipeline.stats)
    return _Work(lambda: pipeline.run(batches), pipeline.stats, reader.failures)


def _archive(
    settings: Settings, sources: Sequence[Source], stop: Stop, run: Run, decode: _Decode, growth: int
) -> _Work:
    """An output for each source. Raises SettingError, SinkDown."""
    from dial_enricher.archive.make import make_archive  # multiprocessing: only who wants it loads it

    archive = make_archive(settings, sources, stop, run, decode, growth, __version__)
    return _Work(archive.run, archive.stats, archive.failures)


def _run(work: _Work, settings: Settings, stop: Stop, run: Run) -> int:
    """Runs it to its end and tells what became of it; the exit code."""
    try:
        with closing(run.progress):
            work.run()
    except SinkClosed:
        leave_quietly(1)
        run.stopped = "the reader of standard output went away"
        return EXIT_PIPE_CLOSED
    except SinkDown as error:
        run.stopped = str(error)
        logs.LOGGER.error("stopped: %s", error)
        report(work.stats, settings, run)
        return EXIT_ERROR
    except Exception as error:
        run.stopped = f"a bug, please report it: {where(error)}"
        logs.LOGGER.error("stopped by %s", run.stopped)
        return EXIT_ERROR
    run.stopped = stop.why
    if stop.reason is not None:
        logs.LOGGER.error("stopped: %s", stop.reason)
    report(work.stats, settings, run)
    return _exit_code(work.stats, work.failures, settings, stop)


def _exit_code(stats: Stats, failures: Sequence[str], settings: Settings, stop: Stop) -> int:
    if stop.misconfigured:
        return EXIT_SETTING
    if stop.reason not in (None, AWAY):
        return EXIT_ERROR
    if stats.dead[Code.UNDELIVERED] or stats.again:
        return EXIT_UNDELIVERED
    if stop.signal is not None:
        return exit_code(stop.signal)
    if failures:
        return EXIT_ERROR
    return EXIT_STRICT if settings.strict and stats.dead else 0


def _check_descriptors(sources: Sequence[str]) -> None:
    """A descriptor that was closed before the start would be taken by the next file that is opened."""
    if STDIN in sources:
        check_open(0, "standard input")
    check_open(1, "standard output")
    if sys.stderr is None:
        os.open(os.devnull, os.O_WRONLY)


@main.command("schema")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="markdown", show_default=True)
@schema
@tag
@no_tag
def print_schema(form: str, schema: str, tag: tuple[str, ...], no_tag: tuple[str, ...]) -> None:
    """Print the measurements with their tags and fields."""
    try:
        measurements = profile(chosen(Profile, "schema", schema), tag, no_tag)
    except SettingError as error:
        raise WrongSetting(str(error)) from None
    click.echo(FORMATS[form](measurements))


main.add_command(doctor)
main.add_command(topics)
topics.add_command(train)
