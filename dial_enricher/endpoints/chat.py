"""Chat completions: `/openai/deployments/{id}/chat/completions`."""

import re
from collections.abc import Iterator
from typing import Any

from dial_enricher import streams, texts, usage
from dial_enricher.endpoint import answered
from dial_enricher.event import Exchange, Log, Texts, Usage
from dial_enricher.take import dig, objects


def read(log: Log, uri: re.Match[str]) -> Exchange:
    request, answer, columns = answered(log, uri, streams.merge_chat)
    messages = dig(request, ("messages",))
    columns["number_request_messages"] = len(messages) if isinstance(messages, list) else 0
    per_model = usage.per_model(answer, log.notes)
    found = usage.of_core(log.data, log.notes) or usage.of_answer(answer, usage.OPENAI, log.notes)
    return Exchange(
        "analytics",
        columns,
        usage=found or usage.total([part for _, part in per_model]) or Usage(),
        usage_per_model=per_model,
        read_texts=lambda: _texts(messages, answer),
    )


def _texts(messages: Any, answer: Any) -> Texts:
    request = texts.trimmed(part for message in objects(messages) for part in _parts(message.get("content")))
    choice = next(objects(dig(answer, ("choices",))), {})
    message = choice.get("message") or choice.get("delta")  # Core assembles a stream into deltas
    return Texts(request, texts.trimmed(_parts(dig(message, ("content",)))), asked=request[-1:])


def _parts(content: Any) -> Iterator[str]:
    return texts.parts(content, ("text",))
