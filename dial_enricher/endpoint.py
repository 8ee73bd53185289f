"""What an endpoint is, and what all of them read alike."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from dial_enricher import bodies
from dial_enricher.event import Exchange, Json, Log
from dial_enricher.schema import UNDEFINED
from dial_enricher.take import dig, row, table, take
from dial_enricher.values import Notes, duration, text


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A row of the endpoint table.

    `read(log, uri)` is pure: it takes the log and the match of the pattern on its path, and raises
    BadRecord for a record that cannot be used.
    """

    name: str
    pattern: re.Pattern[str]
    read: Callable[[Log, re.Match[str]], Exchange]
    any_status: bool = False
    """Counts whatever the status of the answer, and so never as an error."""


def joined_path(value: Any, notes: Notes) -> str | None:
    """`execution_path` as one text: a slash inside a segment is escaped, an empty one is `undefined`."""
    if not isinstance(value, list) or not value:
        return None
    return "/".join((text(segment, notes) or UNDEFINED).replace("/", "\\/") for segment in value)


_COMMON = table(
    row("project.id", "project_id"),
    row("user.title", "title"),
    row("user.id", "user_hash"),
    row("chat.id", "chat_id"),
    row("deployment", "deployment"),
    row("parent_deployment", "parent_deployment"),
    row("execution_path", "execution_path", joined_path),
    row("trace.trace_id", "trace_id"),
    row("trace.core_span_id", "core_span_id"),
    row("trace.core_parent_span_id", "core_parent_span_id"),
    row("response.upstream_uri", "upstream"),
    row("operation_duration_ms", "operation_duration_ms", duration),
)


def answered(log: Log, uri: re.Match[str], merge: bodies.Merge) -> tuple[Any, Json | None, Json]:
    """The request, the answer and the columns of an endpoint where a model answers."""
    request = bodies.request_document(log)
    answer = bodies.response_document(log, merge)
    columns = common_columns(log, uri)
    columns["model"] = text(dig(request, ("model",)), log.notes) or columns["deployment"]
    columns["response_id"] = text(dig(answer, ("id",)), log.notes)
    return request, answer, columns


def common_columns(log: Log, uri: re.Match[str]) -> Json:
    """The columns that every endpoint has; old logs name the deployment in the URI only."""
    columns = logged_columns(log.data, log.notes)
    if not columns["deployment"] and "id" in uri.re.groupindex:
        columns["deployment"] = unquote(uri["id"])
    return columns


def logged_columns(data: Json, notes: Notes) -> Json:
    """The columns that a log tells by itself, whatever its endpoint; what is not there is None."""
    return take(_COMMON, data, notes)
