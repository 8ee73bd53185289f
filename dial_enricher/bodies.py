"""The documents inside a log: request and response bodies, whole, streamed or cut.

A document that is missing or broken is None, and never loses the point.
"""

from collections.abc import Callable, Iterable
from typing import Any

from dial_enricher import jsontext, streams
from dial_enricher.event import Json, Log
from dial_enricher.take import dig

Merge = Callable[[Iterable[Json]], Json | None]


def request_document(log: Log) -> Any:
    """The request body; of a cut one what stands before the cut."""
    body = dig(log.data, ("request", "body"))
    document = _whole(body, log)
    return document if document is not None else _salvaged(body)


def response_document(log: Log, merge: Merge) -> Json | None:
    """The answer: Core's `assembled_response`, else the response body, else what a cut left of the former."""
    assembled = log.data.get("assembled_response")
    return _usable(_whole(assembled, log)) or body_document(log, merge) or _salvaged(assembled)


def body_document(log: Log, merge: Merge) -> Json | None:
    """The response body: a document, a stream that is merged, or what a cut left."""
    body = _response_body(log)
    return _usable(_whole(body, log)) or _streamed(body, log, merge) or _salvaged(body)


def _response_body(log: Log) -> Any:
    if not log.is_skimmed:
        return dig(log.data, ("response", "body"))
    try:
        return dig(jsontext.loads(log.line), ("response", "body"))
    except ValueError:
        log.notes["broken_body"] += 1
        return None


def _usable(document: Any) -> Json | None:
    return document if isinstance(document, dict) else None


def _whole(body: Any, log: Log) -> Any:
    """The document of a body that is JSON text, or that a shipper has decoded already."""
    if not isinstance(body, str):
        return body
    if not body or streams.is_stream(body):
        return None
    try:
        return jsontext.loads(body)
    except jsontext.NotJson:
        log.notes["cut_body" if _is_cut(body) else "broken_body"] += 1
        return None


def _streamed(body: Any, log: Log, merge: Merge) -> Json | None:
    if not isinstance(body, str) or not streams.is_stream(body):
        return None
    return merge(streams.chunks(body, log.notes))


def _salvaged(body: Any) -> Json | None:
    return jsontext.salvage(body) or None if isinstance(body, str) and _is_cut(body) else None


def _is_cut(body: str) -> bool:
    return body.endswith(jsontext.CUT_MARK)
