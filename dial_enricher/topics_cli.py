"""The commands for people who want to know a topic model: `dial-enricher topics ...`."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path
from typing import IO, Any

import click

from dial_enricher import options
from dial_enricher.errors import SettingError, SinkDown
from dial_enricher.schema import UNDEFINED
from dial_enricher.sinks.descriptor import check_open, leave_quietly, write_lines
from dial_enricher.topics import rows
from dial_enricher.topics.assignment import Assignment, assign
from dial_enricher.topics.evaluation import Evaluation, Tally, evaluate
from dial_enricher.topics.model import OUTLIER, Topic, TopicModel
from dial_enricher.topics.tables import shortened, table

_WORDS_SHOWN = 6
_TEXT_SHOWN = 100
"""Characters."""


class _OutputFailed(click.ClickException):
    """The exit code of `enrich` for a standard output that cannot be written."""

    exit_code = options.EXIT_ERROR


@click.group()
def topics() -> None:
    """Look at a topic model: its topics, a map of them, what it tells of a text, how often it is right.

    \b
      dial-enricher topics list
      dial-enricher topics map --output topics.html
      dial-enricher topics assign 'How do I join two tables?'
      dial-enricher topics evaluate labelled.ndjson

    Exit codes: 0 done, 1 standard output cannot be written, 2 a wrong option, file or model, 141 the reader
    of standard output went away.
    """


def _with_model(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command a model, the options that name one, and an exit code for each thing that goes wrong."""

    @options.env_file
    @options.topic_model
    @options.topic_embeddings_model
    @wraps(command)
    def wrapped(topic_model: str | None, topic_embeddings_model: str | None, **rest: Any) -> None:
        try:
            check_open(1, "standard output")
            command(_model(topic_model, topic_embeddings_model), **rest)
        except (SettingError, SinkDown) as error:
            raise options.WrongSetting(str(error)) from None

    return wrapped


def _model(named: str | None, embeddings: str | None) -> TopicModel:
    from dial_enricher.topics.find import find

    model = find(named, embeddings)
    if model is None:
        raise SettingError("no topic model found: name one with --topic-model or TOPIC_MODEL")
    return model


_format = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"], case_sensitive=False),
    default="text",
    show_default=True,
    help="For people, or one JSON object a line.",
)


def _print(lines: Iterable[str]) -> None:
    """Writes lines to standard output; leaves with 141 and without a word when its reader has gone."""
    text = "".join(f"{line}\n" for line in lines)
    try:
        write_lines(1, text.encode("utf-8", "replace"))
    except BrokenPipeError:
        leave_quietly(1)
        click.get_current_context().exit(options.EXIT_PIPE_CLOSED)
    except OSError as error:
        raise _OutputFailed(f"cannot write to standard output: {error.strerror}") from None


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False)


def _name(topic: Topic) -> str:
    return f"{topic.label} (outliers)" if topic.id == OUTLIER else topic.label


def _words(topic: Topic) -> str:
    return ", ".join(topic.words[:_WORDS_SHOWN])


# The topics


@topics.command("list")
@_format
@_with_model
def list_(model: TopicModel, form: str) -> None:
    """List the topics, the biggest first.

    The size of a topic is the number of texts that it was made from. The topic for outliers, which no text is
    given, is marked and stands at the end.
    """
    ordered = sorted(model.topics, key=lambda topic: (topic.id == OUTLIER, -topic.size, topic.id))
    if form == "json":
        _print(_json(_listed(topic)) for topic in ordered)
    else:
        cells = [(str(topic.id), _name(topic), str(topic.size), _words(topic)) for topic in ordered]
        _print(table([("id", "label", "size", "words"), *cells], right=frozenset({0, 2})))


def _listed(topic: Topic) -> dict[str, Any]:
    return {
        "id": topic.id,
        "label": topic.label,
        "size": topic.size,
        "words": topic.words,
        "groups": topic.groups,
        "outliers": topic.id == OUTLIER,
    }


@topics.command("map")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    default="topics.html",
    show_default=True,
    help="The file to write; `-` is standard output.",
)
@_with_model
def map_(model: TopicModel, output: str) -> None:
    """Draw a map of the topics as one HTML file.

    It needs nothing else: open it in a browser. Topics that are alike are near each other, and the area of a
    circle stands for the size of its topic. The topic for outliers has no place on it. The same model gives
    the same map.
    """
    from dial_enricher.topics.map import draw

    page = draw(model)
    if output == "-":
        _print(page.rstrip("\n").split("\n"))
        return
    try:
        Path(output).write_text(page, "utf-8")
    except OSError as error:
        raise SettingError(f"cannot write {output}: {error.strerror}") from None
    click.echo(f"Open {output} in a browser.", err=True)


# What it tells of texts


@topics.command("assign")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@_format
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="How many topics to show for a text.",
)
@_with_model
def assign_(model: TopicModel, texts: tuple[str, ...], form: str, top: int) -> None:
    """Tell the topic of each TEXT, and why.

    Shows what the stream would write for it, and the topics nearest to it with their similarity, -1 to 1.

    Without a TEXT, standard input is read. A line that is a JSON object has its text in `text`, or is a chat
    with lists of texts in `request` and `answer`; any other line is a text by itself. A long text is
    shortened as in the stream.
    """
    lines = _told if form == "text" else _told_json
    for number, row in enumerate(map(rows.asked, texts) if texts else _standard_input()):
        blank = [""] if number and form == "text" else []
        _print([*blank, *lines(row.text, assign(model, row.text, top))])


def _standard_input() -> Iterator[rows.Row]:
    check_open(0, "standard input")
    if sys.stdin.isatty():
        click.echo("Type a text on each line; Ctrl-D ends.", err=True)
    return rows.lines_or_rows(sys.stdin.buffer, "standard input")


def _told(text: str, assigned: Assignment) -> list[str]:
    why = f" ({assigned.reason})" if assigned.reason else ""
    near = [
        (f"{match.similarity:.3f}", _name(match.topic), _words(match.topic)) for match in assigned.matches
    ]
    told = [f"topic: {assigned.topic or UNDEFINED}{why}", *table(near, right=frozenset({0}))]
    return [shortened(text, _TEXT_SHOWN), *(f"  {line}" for line in told)]


def _told_json(text: str, assigned: Assignment) -> list[str]:
    matches = [
        {"id": match.topic.id, "label": match.topic.label, "similarity": round(match.similarity, 4)}
        for match in assigned.matches
    ]
    why = {"reason": assigned.reason} if assigned.reason else {}
    return [_json({"text": text, "topic": assigned.topic or UNDEFINED, **why, "matches": matches})]


@topics.command("evaluate")
@click.argument("file", type=click.File("rb"))
@_format
@_with_model
def evaluate_(model: TopicModel, file: IO[bytes], form: str) -> None:
    """Compare what the model tells with what people say.

    FILE (`-` is standard input) holds a JSON object a line: a `text`, or a chat with lists of texts in
    `request` and `answer`, and its `labels`, a list, or its `topic`, one or a list. It is shortened as in the
    stream. The model is right when it tells a topic with one of these labels, or one that belongs to a group
    of this name, in whatever case; `none` and `undefined` are right where it tells no topic.

    The table has a line for each label; a text with several labels counts for the first of them.
    """
    try:
        found = evaluate(model, rows.labelled(file, file.name))
    except OSError as error:
        raise SettingError(f"cannot read {file.name}: {error.strerror}") from None
    if not found.overall.texts:
        raise SettingError(f"{file.name} has no texts")
    _print([_json(_measured(found))] if form == "json" else _shown(found))
    if found.unknown:
        click.echo(f"Neither a topic nor a group of this model: {', '.join(found.unknown)}", err=True)


def _shown(found: Evaluation) -> list[str]:
    header = ("label", "texts", "right", "accuracy", "undefined", "share", "most often wrong")
    tallies = [("all", found.overall), *found.by_label.items()]
    return table([header, *(_cells(label, tally) for label, tally in tallies)], right=frozenset(range(1, 6)))


def _cells(label: str, tally: Tally) -> tuple[str, ...]:
    wrong = "{} ({})".format(*tally.most_wrong) if tally.most_wrong else ""
    accuracy, undefined = f"{tally.accuracy:.1%}", f"{tally.undefined_share:.1%}"
    return label, str(tally.texts), str(tally.right), accuracy, str(tally.undefined), undefined, wrong


def _measured(found: Evaluation) -> dict[str, Any]:
    by_label = {label: _figures(tally) for label, tally in found.by_label.items()}
    return {**_figures(found.overall), "by_label": by_label, "unknown_labels": found.unknown}


def _figures(tally: Tally) -> dict[str, Any]:
    topic, count = tally.most_wrong or (None, 0)
    return {
        "texts": tally.texts,
        "right": tally.right,
        "accuracy": round(tally.accuracy, 4),
        "undefined": tally.undefined,
        "undefined_share": round(tally.undefined_share, 4),
        "most_wrong": {"topic": topic, "texts": count} if topic is not None else None,
    }
