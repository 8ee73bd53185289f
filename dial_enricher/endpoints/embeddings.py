"""Embeddings: `/openai/deployments/{id}/embeddings`."""

import re
from typing import Any

from dial_enricher import bodies, streams, texts, usage
from dial_enricher.endpoint import common_columns
from dial_enricher.event import Exchange, Log, Texts, Usage
from dial_enricher.take import dig


def read(log: Log, uri: re.Match[str]) -> Exchange:
    request = bodies.request_document(log)
    columns = common_columns(log, uri)
    inputs = dig(request, ("input",))
    columns["model"] = columns["deployment"]
    columns["response_id"] = None  # the answer has no id
    columns["number_request_messages"] = _count(inputs)
    found = usage.of_core(log.data, log.notes) or _usage_of_answer(log)
    return Exchange("analytics", columns, usage=found or Usage(), read_texts=lambda: _texts(inputs))


def _usage_of_answer(log: Log) -> Usage | None:
    """Read only where Core tells no usage: the answer is long, and all else in it is vectors."""
    return usage.of_answer(bodies.body_document(log, streams.merge_chat), usage.OPENAI, log.notes)


def _count(inputs: Any) -> int:
    """Inputs: a text is one, a list of tokens is one, else a list counts its items."""
    if isinstance(inputs, str):
        return 1
    if not isinstance(inputs, list):
        return 0
    return 1 if inputs and all(type(item) is int for item in inputs) else len(inputs)


def _texts(inputs: Any) -> Texts:
    items = inputs if isinstance(inputs, list) else [inputs]
    request = texts.trimmed(item for item in items if isinstance(item, str))
    return Texts(request, [], asked=request)
