"""The options that say what is read: what `enrich` and `doctor` share, beside those of every stream."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import click

from dial_enricher.options import Decorator, choice, option
from dial_enricher.settings import Ack, Settings


class _Conditions(click.types.StringParamType):
    """Values hold blanks, at which click would part what a variable holds."""

    envvar_list_splitter = ";"

    def split_envvar_value(self, rv: str) -> list[str]:
        return [part for part in super().split_envvar_value(rv) if part.strip()]


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
    option("--recursive", is_flag=True, help="Of directories among FILES, read those below them as well."),
    option(
        "--shard",
        metavar="I/N",
        help="Read every Nth of FILES only, from the Ith on, counted from 0: so N machines share an archive.",
    ),
    option(
        "--jobs",
        type=click.IntRange(min=1),
        default=Settings.jobs,
        show_default=True,
        help="So many of FILES at a time, with --output DIRECTORY.",
    ),
    option(
        "--since",
        metavar="TIME",
        help="Only requests of this time or later: ISO 8601, as 2026-11-20 or 2026-11-20T08:00:00+01:00; UTC "
        "where it names no zone.",
    ),
    option("--until", metavar="TIME", help="Only requests before this time."),
    option(
        "--where",
        multiple=True,
        type=_Conditions(),
        metavar="COLUMN=VALUE",
        help="Only records with this value, as deployment=gpt-4o, measurement=analytics or title=undefined. "
        "Repeatable: either value of one column, all columns together. The variable takes several, separated "
        "by `;`.",
    ),
)


def input_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """All of them, in the order in which they are shown."""
    return reduce(lambda inner, decorate: decorate(inner), reversed(_INPUT_OPTIONS), command)
