"""Chat completions and embeddings."""

import base64
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from tests.dialcore.call import ASCII, COMPACT, SPACED, Call, Encode, Usage, pieces, stream, usage_of
from tests.dialcore.world import CHAT_MODELS, EMBEDDING_MODELS, Model, World

MEASUREMENT = "analytics"


def chat(
    world: World,
    *,
    model: Model | None = None,
    deployment: str = "",
    streamed: bool | None = None,
    odd: str = "",
    encode: Encode | None = None,
    cache: bool = False,
    told: bool = True,
    per_model: bool = False,
) -> Call:
    """Complete a chat.

    An application has a `deployment` of its own. `odd` characters are put into question and answer. The
    answer tells its usage when `told`, or `per_model` only, as applications can.
    """
    model = model or world.pick(CHAT_MODELS)
    encode = encode or world.pick((COMPACT, COMPACT, SPACED, ASCII))
    streamed = world.chance(0.7) if streamed is None else streamed
    language = world.prose.language()
    messages = _messages(world, language, odd)
    body: dict[str, Any] = {"messages": messages, "temperature": world.pick((0, 0.7, 1.0))}
    if not deployment or world.chance(0.5):
        body = {"model": deployment or model.deployment} | body
    if world.chance(0.45):
        body["tools"] = [_tool(world, language) for _ in range(world.between(world.shape.tools))]
    if streamed:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    request = encode(body)
    text = world.answer(language) + odd
    usage = usage_of(world, model, len(request), len(text), cache=cache)
    if per_model:
        usage = replace(usage, cached=0, reasoning=0)  # an application tells no more of its models
    answer = _Answer(world, model, text, usage if told else None, per_model)
    host = f"https://{world.pick(('east', 'west'))}.upstream.example"
    name = quote(deployment or model.deployment, safe="/,")
    return Call(
        kind=f"chat, {'streamed' if streamed else 'whole'}" + (" (application)" if deployment else ""),
        measurement=MEASUREMENT,
        deployment=deployment or model.deployment,
        uri=f"{'/' if world.chance(0.05) else ''}/openai/deployments/{name}/chat/completions"
        + world.pick(("", "?api-version=2024-10-21")),
        request=request,
        response=stream(world, answer.chunks(encode)) if streamed else encode(answer.whole()),
        assembled=(ASCII if encode is ASCII else COMPACT)(answer.assembled()) if streamed else "",
        upstream=f"{host}/openai/deployments/{quote(model.deployment)}/chat/completions",
        usage=usage,
        told=told,
        messages=len(messages),
    )


def _messages(world: World, language: str, odd: str) -> list[dict[str, Any]]:
    """A history that ends with a question, or with what a tool found out for it."""
    count = world.between(world.shape.messages)
    messages: list[dict[str, Any]] = []
    for left in range(count, 0, -1):
        if left % 2:
            messages.append({"role": "user", "content": world.question(language)})
        elif left == count:
            text = world.prose.text(language, world.between(world.shape.instructions))
            messages.append({"role": "system", "content": text})
        else:
            messages.append({"role": "assistant", "content": world.answer(language)})
    last = messages[-1]
    last["content"] += odd
    if world.chance(0.15):
        picture = base64.b64encode(world.dice.randbytes(world.shape.image)).decode()
        last["content"] = [
            {"type": "text", "text": last["content"]},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}},
        ]
    elif count <= 5 and world.chance(0.12):
        call = _tool_call(world)
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        found = COMPACT({"found": world.question(language), "score": 0.5})
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": found})
    return messages


def _tool(world: World, language: str) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": {"query": {"type": "string", "description": world.question(language)}},
        "required": ["query"],
    }
    function = {"name": "search", "description": world.question(language), "parameters": parameters}
    return {"type": "function", "function": function}


def _tool_call(world: World) -> dict[str, Any]:
    function = {"name": "search", "arguments": '{"query":"pump \\"7\\""}'}
    return {"id": f"call_{world.hex(12)}", "type": "function", "function": function}


class _Answer:
    """One answer, in the three ways in which it is logged."""

    def __init__(self, world: World, model: Model, text: str, usage: Usage | None, per_model: bool) -> None:
        self._world = world
        self._text = text
        self._head = {
            "id": f"chatcmpl-{world.hex(24)}",
            "created": 1_740_000_000 + world.between((0, 9_999_999)),
            "model": model.name,
        }
        self._calls = [_tool_call(world)] if world.chance(0.05) else []
        self._tail: dict[str, Any] = {}
        if per_model and usage:
            entry = {"index": 0, "model": model.deployment} | usage.as_chat()
            self._tail["statistics"] = {"usage_per_model": [entry]}
        elif usage:
            self._tail["usage"] = usage.as_chat()

    def whole(self) -> dict[str, Any]:
        """The answer when it is not streamed."""
        choices = [self._choice("message")]
        if self._world.chance(0.05):
            choices.append({"index": 1, "message": {"role": "assistant", "content": "?"}})
        return self._head | {"object": "chat.completion", "choices": choices} | self._tail

    def assembled(self) -> dict[str, Any]:
        """What Core puts together of a stream; one version left the word `delta` standing."""
        choice = self._choice("delta" if self._world.chance(0.15) else "message")
        return self._head | {"object": "chat.completion", "choices": [choice]} | self._tail

    def chunks(self, encode: Encode) -> list[str]:
        """The answer as it is streamed."""
        text = ASCII if encode is ASCII else COMPACT
        head = COMPACT(self._head | {"object": "chat.completion.chunk"})[:-1]
        before, after = ',"choices":[{"index":0,"delta":', ',"finish_reason":null}]}'
        chunks = [f'{head}{before}{{"role":"assistant","content":""}}{after}']
        chunks += [
            f'{head}{before}{{"content":{text(piece)}}}{after}' for piece in pieces(self._world, self._text)
        ]
        for index, call in enumerate(self._calls):
            delta = {"tool_calls": [{"index": index} | call]}
            chunks.append(f"{head}{before}{text(delta)}{after}")
        chunks.append(f'{head},"choices":[{{"index":0,"delta":{{}},"finish_reason":"{self._reason()}"}}]}}')
        if self._tail:
            chunks.append(f'{head},"choices":[],{text(self._tail)[1:]}')
        return chunks

    def _reason(self) -> str:
        return "tool_calls" if self._calls else "stop"

    def _choice(self, key: str) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": self._text}
        if self._calls:
            message["tool_calls"] = self._calls
        return {"index": 0, key: message, "finish_reason": self._reason()}


def embeddings(world: World) -> Call:
    """Embed a text, several texts, or lists of tokens."""
    model = world.pick(EMBEDDING_MODELS)
    language = world.prose.language()
    sort = world.pick(("text", "text", "texts", "tokens", "lists of tokens"))
    match sort:
        case "text":
            inputs: Any = world.answer(language)
        case "texts":
            inputs = [world.question(language) for _ in range(world.between((1, 4)))]
        case "tokens":
            inputs = _tokens(world)
        case _:
            inputs = [_tokens(world) for _ in range(world.between((1, 4)))]
    count = len(inputs) if sort in ("texts", "lists of tokens") else 1
    request = COMPACT({"input": inputs, "model": model.deployment, "encoding_format": "base64"})
    usage = usage_of(world, model, len(request), 0)
    vectors = [
        {"object": "embedding", "index": index, "embedding": _vector(world, model)} for index in range(count)
    ]
    told = {"prompt_tokens": usage.prompt, "total_tokens": usage.prompt}
    return Call(
        kind=f"embeddings, {sort}",
        measurement=MEASUREMENT,
        deployment=model.deployment,
        uri=f"/openai/deployments/{model.deployment}/embeddings",
        request=request,
        response=COMPACT({"object": "list", "data": vectors, "model": model.name, "usage": told}),
        upstream=f"https://east.upstream.example/openai/deployments/{model.deployment}/embeddings",
        usage=usage,
        messages=count,
    )


def _tokens(world: World) -> list[int]:
    return [world.between((0, 99_999)) for _ in range(world.between(world.shape.messages) * 8)]


def _vector(world: World, model: Model) -> str:
    size = world.shape.vector * (2 if model.deployment.endswith("large") else 1)
    return base64.b64encode(world.dice.randbytes(4 * size)).decode()
