"""The command for people who want to know whether a run would work: `dial-enricher doctor`."""

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from dial_enricher.errors import SettingError, SinkDown
from dial_enricher.input_options import input_options
from dial_enricher.inputs.sources import STDIN
from dial_enricher.options import EXIT_ERROR, EXIT_PIPE_CLOSED, EXIT_SETTING, WrongSetting
from dial_enricher.settings import MODEL_RATES, Ack, Destination, Format, Settings, check_sources
from dial_enricher.sinks.descriptor import check_open, leave_quietly, write_lines
from dial_enricher.stream_options import read_settings, stream_options
from dial_enricher.topics.tables import one_line

if TYPE_CHECKING:
    from dial_enricher.doctor import Finding

_LINE = "{:<4}  {:<12}  {}\n"
"""Level, check, words."""
_OF_SETTINGS = ("settings", "rates")
"""The checks whose failure is a wrong option or setting."""
_HARMLESS: dict[str, Any] = {
    "to": Destination.STDOUT,
    "format": Format.LP,
    "tag": (),
    "no_tag": (),
    "dead_letter_content": False,
    "checkpoint": None,
    "follow": False,
    "ack": Ack.OFF,
    "recursive": False,
    "shard": None,
    "since": None,
    "until": None,
    "where": (),
    "output": None,
    "jobs": 1,
}
"""With these no other option can be wrong: so the rest can be checked all the same."""
_EXIT_CODES = """\b
Exit codes:
  0    nothing failed; warnings do not change that
  1    something failed
  2    a wrong option or setting, as the lines `settings` and `rates` tell
  141  the reader of standard output went away
"""


@click.command(epilog=_EXIT_CODES)
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True))
@click.option("--write-test", is_flag=True, help="Write one point to InfluxDB, which stays there.")
@input_options
@stream_options
@click.pass_context
def doctor(ctx: click.Context, /, files: Sequence[str], write_test: bool, **options: Any) -> None:
    """Check what `enrich` would need, with the same options and FILES.

    Tries the settings, the rates, the language engine, the topic model, the server, whether it would take a
    write, the files and the clock. Prints a line for each and what to do where something is wrong. Writes no
    points, unless told to, and no text of a log.
    """
    try:
        check_open(1, "standard output")
    except SinkDown as error:
        raise WrongSetting(str(error)) from None
    from dial_enricher.doctor import Case, examine  # who enriches does not wait for it

    settings, wrong = _settings(options, files or (STDIN,))
    case = Case(settings, wrong, options["rates"], os.environ, files, write_test)
    try:
        ctx.exit(_report(examine(case)))
    except BrokenPipeError:
        leave_quietly(1)
        ctx.exit(EXIT_PIPE_CLOSED)
    except OSError as error:
        click.echo(f"Error: cannot write to standard output: {error.strerror}", err=True)
        ctx.exit(EXIT_ERROR)


def _settings(options: dict[str, Any], sources: Sequence[str]) -> tuple[Settings, str]:
    """The settings without their rates, and what is wrong; if something is, what is left without it."""
    options = options | {"rates": None}
    environment = {name: value for name, value in os.environ.items() if name != MODEL_RATES}
    try:
        settings = read_settings(options, environment, archive=False)
        check_sources(settings, sources)
        return settings, ""
    except SettingError as error:
        return read_settings(options | _HARMLESS, environment, archive=False), str(error)


def _report(findings: "Iterable[Finding]") -> int:
    """Prints each finding as soon as it is there; the exit code. Raises OSError."""
    code = 0
    for finding in findings:
        line = _LINE.format(finding.level, finding.name, one_line(finding.words))
        write_lines(1, line.encode("utf-8", "replace"))
        if finding.failed:
            code = max(code, EXIT_SETTING if finding.name in _OF_SETTINGS else EXIT_ERROR)
    return code
