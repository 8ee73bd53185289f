"""Anthropic's Messages API: `/anthropic/v1/messages`."""

import re
from collections.abc import Iterator
from typing import Any

from dial_enricher import streams, texts, usage
from dial_enricher.endpoint import answered
from dial_enricher.event import Exchange, Log, Texts, Usage
from dial_enricher.take import dig, objects

_DEEPEST_RESULT = 8


def read(log: Log, uri: re.Match[str]) -> Exchange:
    request, answer, columns = answered(log, uri, streams.merge_anthropic)
    messages = dig(request, ("messages",))
    columns["number_request_messages"] = len(messages) if isinstance(messages, list) else 0
    found = usage.of_core(log.data, log.notes) or usage.of_anthropic_answer(answer, log.notes)
    return Exchange(
        "anthropic_messages_analytics",
        columns,
        usage=found or Usage(),
        read_texts=lambda: _texts(request, answer),
    )


def _texts(request: Any, answer: Any) -> Texts:
    asked = [dig(request, ("system",))]
    asked += [message.get("content") for message in objects(dig(request, ("messages",)))]
    parts = texts.trimmed(part for content in asked for part in _parts(content))
    return Texts(parts, texts.trimmed(_parts(dig(answer, ("content",)))), asked=parts[-1:])


def _parts(content: Any, depth: int = 0) -> Iterator[str]:
    """Texts of a content in order, those inside tool results included."""
    if isinstance(content, str):
        yield content
    for block in objects(content):
        if block.get("type") == "text":
            yield from texts.parts([block], ("text",))
        elif block.get("type") == "tool_result" and depth < _DEEPEST_RESULT:
            yield from _parts(block.get("content"), depth + 1)
