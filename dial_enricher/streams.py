"""Server-sent events: a streamed answer put together when DIAL Core did not do it.

Each merge takes the decoded chunks in order and returns a document shaped like the endpoint's
answer without streaming, or None when there is nothing in them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from dial_enricher import jsontext
from dial_enricher.event import Json
from dial_enricher.take import dig, objects
from dial_enricher.values import Notes

_FIELD_NAMES = ("data:", "event:", "id:", "retry:", ":")
_NO_CHUNK = ("", "[DONE]")


def is_stream(body: str) -> bool:
    """Whether a response body is an event stream rather than a JSON document."""
    return body.lstrip().startswith(_FIELD_NAMES)


def chunks(stream: str, notes: Notes) -> Iterator[Json]:
    """The JSON objects of a stream; a broken one is skipped and noted.

    An event ends at a blank line. Some adapters end it at each newline instead, so the data lines of an
    event are one document when that parses, and else one document each.
    """
    lines = stream.replace("\r\n", "\n").replace("\r", "\n")
    for event in lines.split("\n\n"):
        if event.startswith("data: {") and "\n" not in event and (chunk := _parse(event[6:])):
            yield chunk  # nearly always
            continue
        data = [line[5:].strip() for line in event.split("\n") if line.startswith("data:")]
        joined = _parse("\n".join(data))
        for chunk in [joined] if joined else [_parse(part) for part in data if part not in _NO_CHUNK]:
            if chunk:
                yield chunk
            else:
                notes["broken_chunk"] += 1


def _parse(data: str) -> Json | None:
    try:
        document = jsontext.loads(data)
    except jsontext.NotJson:
        return None
    return document if isinstance(document, dict) else None


def merge_chat(chunks: Iterable[Json]) -> Json | None:
    """Chat completion chunks: contents joined by choice, tool calls by index, usage last-wins."""
    answer: Json = {}
    choices: dict[int, _Choice] = {}
    wanted: tuple[str, ...] = ("id", "model", "object", "created")
    for chunk in chunks:
        if wanted:  # all stand in the first chunk, mostly
            answer.update((key, chunk[key]) for key in wanted if chunk.get(key))
            wanted = tuple(key for key in wanted if key not in answer)
        for key in ("usage", "statistics"):
            if chunk.get(key):
                answer[key] = chunk[key]
        for part in objects(chunk.get("choices")):
            index = _index(part)
            if index not in choices:
                choices[index] = _Choice()
            choices[index].add(part)
    if choices:
        answer["choices"] = [{"index": index, **choices[index].document()} for index in sorted(choices)]
    return answer or None


class _Choice:
    """One choice of a streamed chat completion, put together from its deltas."""

    def __init__(self) -> None:
        self._finish_reason: Any = None
        self._content: list[str] = []
        self._calls: dict[int, Json] = {}
        self._arguments: defaultdict[int, list[str]] = defaultdict(list)

    def add(self, part: Json) -> None:
        self._finish_reason = part.get("finish_reason") or self._finish_reason
        delta = part.get("delta") or part.get("message")
        if not isinstance(delta, dict):
            return
        if isinstance(delta.get("content"), str):
            self._content.append(delta["content"])
        for call in objects(delta.get("tool_calls")):
            self._add_call(_index(call), call)

    def _add_call(self, index: int, part: Json) -> None:
        call = self._calls.setdefault(index, {"index": index, "function": {"name": None}})
        call.update((key, part[key]) for key in ("id", "type") if part.get(key))
        function = part.get("function")
        if isinstance(function, dict):
            call["function"]["name"] = function.get("name") or call["function"]["name"]
            if isinstance(function.get("arguments"), str):
                self._arguments[index].append(function["arguments"])

    def document(self) -> Json:
        """The choice as it stands in an answer that was not streamed."""
        message: Json = {"role": "assistant", "content": "".join(self._content)}
        if self._calls:
            message["tool_calls"] = [self._call_document(index) for index in sorted(self._calls)]
        return {"message": message, "finish_reason": self._finish_reason}

    def _call_document(self, index: int) -> Json:
        call = self._calls[index]
        return {**call, "function": {**call["function"], "arguments": "".join(self._arguments[index])}}


def merge_responses(events: Iterable[Json]) -> Json | None:
    """Responses API events: the last one that holds a whole response, its output filled from the parts."""
    response: Json = {}
    items: dict[int, Json] = {}
    texts: defaultdict[int, list[str]] = defaultdict(list)
    for event in events:
        if isinstance(event.get("response"), dict):
            response = event["response"]
        elif isinstance(event.get("item"), dict) and event.get("type") == "response.output_item.done":
            items[_index(event, "output_index")] = event["item"]
        elif event.get("type") == "response.output_text.delta" and isinstance(event.get("delta"), str):
            texts[_index(event, "output_index")].append(event["delta"])
    if not response.get("output"):
        for index, parts in texts.items():
            content = [{"type": "output_text", "text": "".join(parts)}]
            items.setdefault(index, {"type": "message", "role": "assistant", "content": content})
        if items:
            response = {**response, "output": [items[index] for index in sorted(items)]}
    return response or None


def merge_anthropic(events: Iterable[Json]) -> Json | None:
    """Anthropic Messages events: the message that started, its text blocks, the usage last-wins."""
    message: Json = {}
    usage: Json = {}
    blocks: dict[int, Json] = {}
    texts: defaultdict[int, list[str]] = defaultdict(list)
    for event in events:
        if isinstance(event.get("message"), dict):
            message = event["message"]
        if isinstance(event.get("content_block"), dict):
            blocks[_index(event)] = dict(event["content_block"])
        delta = event.get("delta")
        if isinstance(delta, dict) and isinstance(delta.get("text"), str):
            texts[_index(event)].append(delta["text"])
        for told in (event.get("usage"), dig(event, ("message", "usage"))):
            if isinstance(told, dict):
                usage.update((key, value) for key, value in told.items() if value is not None)
    for index, parts in texts.items():
        block = blocks.setdefault(index, {"type": "text"})
        block["text"] = str(block.get("text") or "") + "".join(parts)
    if blocks:
        message = {**message, "content": [blocks[index] for index in sorted(blocks)]}
    return {**message, "usage": usage} if usage else message or None


def merge_error(chunks: Iterable[Json]) -> Json | None:
    """The first chunk of a failed stream that tells the error."""
    return next((chunk for chunk in chunks if chunk.get("error")), None)


def _index(part: Json, key: str = "index") -> int:
    index = part.get(key)
    return index if type(index) is int else 0
