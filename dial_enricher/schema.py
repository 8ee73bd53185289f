"""The measurements: which columns each has, which of them are tags, and what type a field keeps for ever.

This is the only place that knows; `profiles` only moves columns between tags and fields. Endpoints fill
columns by name and do not care where they end; the points, the `schema` command, the README table and the
tests all read this module.
"""

from dataclasses import dataclass
from enum import StrEnum

UNDEFINED = "undefined"


class Kind(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"


@dataclass(frozen=True, slots=True)
class Column:
    kind: Kind
    doc: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement. Names are sorted, as line protocol wants them."""

    name: str
    doc: str
    tags: tuple[str, ...]
    """Always written: `undefined` when nothing is known."""
    fields: tuple[str, ...]
    """Always written, but for the sparse ones: `undefined`, 0 when nothing is known."""
    sparse: frozenset[str]
    """Fields that are left out when nothing is known."""
    tags_identify: bool = False
    """The tags of a request that has a trace are unlike those of any other request."""


COLUMNS: dict[str, Column] = {
    "cache_write_prompt_tokens": Column(Kind.INTEGER, "prompt tokens written to the provider's cache"),
    "cached_prompt_tokens": Column(Kind.INTEGER, "prompt tokens read from the provider's cache"),
    "chat_id": Column(Kind.STRING, "`chat.id`: the conversation"),
    "completion_tokens": Column(Kind.INTEGER, "tokens of the answer, the subtree's included"),
    "core_parent_span_id": Column(Kind.STRING, "`trace.core_parent_span_id`: the span that called"),
    "core_span_id": Column(Kind.STRING, "`trace.core_span_id`: the span of this request"),
    "deployment": Column(Kind.STRING, "`deployment`, in old logs the id in the URI"),
    "deployment_price": Column(Kind.FLOAT, "cost of this request alone: sum it over all points"),
    "dislike_count": Column(Kind.INTEGER, "1 for a dislike"),
    "endpoint": Column(Kind.STRING, "the endpoint that failed"),
    "error_type": Column(Kind.STRING, "`error.type` of the answer, else its `error.code`"),
    "execution_path": Column(Kind.STRING, "the deployments from the root to this one, joined with `/`"),
    "http_method": Column(Kind.STRING, "`request.method`"),
    "language": Column(Kind.STRING, "ISO 639-1 code of the conversation's language"),
    "like_count": Column(Kind.INTEGER, "1 for a like"),
    "mcp_method": Column(Kind.STRING, "JSON-RPC method"),
    "mcp_tool_call_name": Column(Kind.STRING, "the tool's name, for `tools/call` only"),
    "model": Column(Kind.STRING, "`model` of the request body, else the deployment"),
    "number_request_messages": Column(Kind.INTEGER, "messages or inputs in the request"),
    "operation_duration_ms": Column(Kind.INTEGER, "how long DIAL Core took, in milliseconds"),
    "parent_deployment": Column(Kind.STRING, "the deployment that called this one"),
    "price": Column(Kind.FLOAT, "cost of this request and its subtree: sum it over root points only"),
    "project_id": Column(Kind.STRING, "`project.id`: the API key's project"),
    "prompt_tokens": Column(Kind.INTEGER, "tokens of the request, the subtree's included"),
    "reasoning_completion_tokens": Column(Kind.INTEGER, "completion tokens spent on reasoning"),
    "response_id": Column(Kind.STRING, "`id` of the answer, else a UUID made from the request's identity"),
    "route_path": Column(Kind.STRING, "the path behind `/route`, without the query string"),
    "status": Column(Kind.STRING, "HTTP status of the answer"),
    "title": Column(Kind.STRING, "`user.title`: the job title"),
    "topic": Column(Kind.STRING, "topic of the conversation"),
    "trace_id": Column(Kind.STRING, "`trace.trace_id`: one id for the whole call tree"),
    "upstream": Column(Kind.STRING, "`response.upstream_uri`: the model adapter that answered"),
    "user_hash": Column(Kind.STRING, "`user.id`: a hash of the user"),
}
ENRICHED = ("language", "topic")
"""Columns that are found out, not read from the log."""

_WHO = ("project_id", "title")
_DEPLOYMENT = ("deployment", "parent_deployment")
_TRACE = ("execution_path", "trace_id", "core_span_id", "core_parent_span_id", "upstream")
_CONVERSATION = ("user_hash", "chat_id")
_TOKENS = (
    "prompt_tokens",
    "completion_tokens",
    "cached_prompt_tokens",
    "cache_write_prompt_tokens",
    "reasoning_completion_tokens",
)
_USAGE = ("number_request_messages", *_TOKENS, "price", "deployment_price")
_DURATION = ("operation_duration_ms",)


def _measurement(
    name: str,
    doc: str,
    tags: tuple[str, ...],
    fields: tuple[str, ...],
    *,
    sparse: tuple[str, ...] = (),
    tags_identify: bool = False,
) -> Measurement:
    sparse += _DURATION
    return Measurement(
        name, doc, tuple(sorted(tags)), tuple(sorted((*fields, *sparse))), frozenset(sparse), tags_identify
    )


def _answered(name: str, doc: str) -> Measurement:
    """A measurement of the newer model endpoints: ids are fields, so that series stay few."""
    return _measurement(
        name,
        doc,
        tags=(*_WHO, *_DEPLOYMENT, "model", "language", "topic"),
        fields=(*_TRACE, *_CONVERSATION, "response_id", *_USAGE),
    )


MEASUREMENTS: dict[str, Measurement] = {
    measurement.name: measurement
    for measurement in (
        _measurement(
            "analytics",
            "Chat completions and embeddings that succeeded",
            tags=(*_WHO, *_DEPLOYMENT, *_TRACE, "model", "language", "topic", "response_id"),
            fields=(*_CONVERSATION, *_USAGE),
            tags_identify=True,
        ),
        _answered("responses_analytics", "Responses API calls that succeeded"),
        _answered("anthropic_messages_analytics", "Anthropic Messages calls that succeeded"),
        _measurement(
            "mcp_analytics",
            "Calls of MCP toolsets and deployments that succeeded, one point for each JSON-RPC call",
            tags=(*_WHO, *_DEPLOYMENT, "mcp_method"),
            fields=(*_TRACE, *_CONVERSATION, "mcp_tool_call_name"),
        ),
        _measurement(
            "routes_analytics",
            "Calls of deployment routes that succeeded",
            tags=(*_WHO, *_DEPLOYMENT, "route_path", "http_method"),
            fields=(*_TRACE, *_CONVERSATION),
        ),
        _measurement(
            "rate_analytics",
            "Ratings of answers, whatever the status",
            tags=("deployment", *_WHO, "response_id", *_CONVERSATION),
            fields=("like_count", "dislike_count"),
        ),
        _measurement(
            "error_analytics",
            "Requests that failed (any status but 200 to 299)",
            tags=("endpoint", "status", "error_type", "model", *_DEPLOYMENT, *_WHO),
            fields=(*_TRACE, *_CONVERSATION),
            sparse=_TOKENS,
        ),
    )
}
