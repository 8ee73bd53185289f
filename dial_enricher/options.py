"""What the commands share: options that can be set by the environment, and errors of one sentence."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from dial_enricher.errors import SettingError
from dial_enricher.settings import ENV_PREFIX, TOPIC_EMBEDDINGS_MODEL, TOPIC_MODEL, load_env_file

EXIT_ERROR = 1
EXIT_SETTING = 2
EXIT_PIPE_CLOSED = 141

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class WrongSetting(click.ClickException):
    """One sentence on stderr."""

    exit_code = EXIT_SETTING


def option(flag: str, variable: str | None = None, **settings: Any) -> Decorator:
    """An option that can be set by an environment variable as well, and says so."""
    name = variable or ENV_PREFIX + flag.removeprefix("--").replace("-", "_").upper()
    return click.option(flag, envvar=name, show_envvar=True, **settings)


def choice(flag: str, kind: Iterable[str], default: str, text: str) -> Decorator:
    """Such an option with a few values, in whatever case."""
    values = click.Choice([str(value) for value in kind], case_sensitive=False)
    return option(flag, type=values, default=str(default), show_default=True, help=text)


def _name(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    return (value or "").strip() or None


def _env_file(ctx: click.Context, param: click.Parameter, file: Path | None) -> None:
    if file is not None:
        try:
            load_env_file(file, os.environ)
        except SettingError as error:
            raise click.BadParameter(str(error), ctx, param) from None


env_file = option(
    "--env-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_env_file,
    help="Read environment variables from this file; the real environment wins.",
)
topic_model = option(
    "--topic-model",
    TOPIC_MODEL,
    callback=_name,
    metavar="MODEL",
    help="A BERTopic model: a folder, or a name on Hugging Face. [default: ./topic_model, or our own]",
)
topic_embeddings_model = option(
    "--topic-embeddings-model",
    TOPIC_EMBEDDINGS_MODEL,
    callback=_name,
    metavar="MODEL",
    help="What embeds its texts: a folder, or a name on Hugging Face. [default: what the topic model names]",
)
