"""What was said in a line of a log, read the simple way: for the reference, and to look at a log's shape."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

PATHS = {
    "/chat/completions": "chat",
    "/embeddings": "embeddings",
    "/openai/v1/responses": "responses",
    "/anthropic/v1/messages": "anthropic",
}
TEXT_PARTS = ("text", "input_text", "output_text")
SILENT_PARTS = ("image_url", "thinking", "tool_use", "reasoning", "function_call")


class Conversation(NamedTuple):
    """A request that succeeded, and its texts."""

    kind: str
    log: dict[str, Any]
    """The record."""
    request: dict[str, Any]
    response: dict[str, Any]
    asked: list[str]
    """All texts of the request, in their order."""
    answer: str

    @property
    def whole(self) -> str:
        """Everything that was said."""
        return "\n\n".join([*self.asked, self.answer])


def decoded(text: str | bytes) -> Any:
    """Decode JSON; control characters inside of texts are let pass, as old DIAL Core wrote them."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return json.loads(text, strict=False)


def conversation(line: bytes) -> Conversation | None:
    """The conversation in a line; None for any other line, and for one that was cut or has no bodies."""
    try:
        log = decoded(line)
        kind = next((kind for path, kind in PATHS.items() if path in log["request"]["uri"]), "")
        if not kind or log["response"]["status"] != "200":
            return None
        request = decoded(log["request"]["body"])
        response = _response(log)
    except (LookupError, TypeError, json.JSONDecodeError):
        return None
    match kind:
        case "chat":
            asked, choice = request["messages"], response["choices"][0]
            answer = choice.get("message") or choice.get("delta")
        case "embeddings":
            asked, answer = request["input"], None
        case "responses":
            asked, answer = request["input"], response["output"]
        case _:
            asked = [request.get("system"), *request["messages"]]
            answer = response["content"]
    return Conversation(kind, log, request, response, list(_texts(asked)), "\n\n".join(_texts(answer)))


def _response(log: dict[str, Any]) -> dict[str, Any]:
    """The response; a chat that was streamed is put together, unless DIAL Core did."""
    if log.get("assembled_response"):
        return dict(decoded(log["assembled_response"]))
    body: str = log["response"]["body"]
    if body.startswith("{"):
        return dict(decoded(body))
    data = (row.removeprefix("data:") for row in body.split("\n") if row.startswith("data:"))
    chunks = [decoded(text) for text in data if text.strip() != "[DONE]"]
    whole: dict[str, Any] = {}
    for chunk in chunks:
        whole |= chunk
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"] if choice["index"] == 0]
    content = "".join(delta.get("content") or "" for delta in deltas)
    return whole | {"choices": [{"index": 0, "message": {"role": "assistant", "content": content}}]}


def _texts(value: Any) -> Iterator[str]:
    """The texts in messages, items and parts, whatever they are wrapped in."""
    match value:
        case str() if value.strip():
            yield value.strip()
        case list():
            for item in value:
                yield from _texts(item)
        case {"type": kind, "text": text} if kind in TEXT_PARTS:
            yield from _texts(text)
        case {"type": "function_call_output", "output": output}:
            yield from _texts(output)
        case {"type": kind} if kind in SILENT_PARTS:
            return
        case {"content": content}:
            yield from _texts(content)
