"""OpenAI's Responses API: `/openai/v1/responses`."""

import re
from collections.abc import Iterator
from typing import Any

from dial_enricher import streams, texts, usage
from dial_enricher.endpoint import answered
from dial_enricher.event import Exchange, Log, Texts, Usage
from dial_enricher.take import dig, objects

_PARTS = ("input_text", "output_text")


def read(log: Log, uri: re.Match[str]) -> Exchange:
    request, answer, columns = answered(log, uri, streams.merge_responses)
    inputs = dig(request, ("input",))
    columns["number_request_messages"] = _count(inputs)
    found = usage.of_core(log.data, log.notes) or usage.of_answer(answer, usage.RESPONSES, log.notes)
    return Exchange(
        "responses_analytics",
        columns,
        usage=found or Usage(),
        read_texts=lambda: _texts(inputs, answer),
    )


def _count(inputs: Any) -> int:
    return 1 if isinstance(inputs, str) else len(inputs) if isinstance(inputs, list) else 0


def _texts(inputs: Any, answer: Any) -> Texts:
    request = texts.trimmed([inputs] if isinstance(inputs, str) else _item_texts(inputs))
    return Texts(request, texts.trimmed(_item_texts(dig(answer, ("output",)))), asked=request[-1:])


def _item_texts(items: Any) -> Iterator[str]:
    for item in objects(items):
        told = item.get("output" if item.get("type") == "function_call_output" else "content")
        yield from texts.parts(told, _PARTS)
