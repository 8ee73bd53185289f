"""Responses and Anthropic Messages: the newer ways to ask a model."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.dialcore.call import COMPACT, SPACED, Call, Usage, pieces, stream, usage_of
from tests.dialcore.world import ANTHROPIC_MODELS, CHAT_MODELS, Model, World


def responses(
    world: World, *, model: Model | None = None, language: str = "", background: bool = False
) -> Call:
    """Ask for a response; a background job is fetched later."""
    model = model or world.pick(CHAT_MODELS)
    language = language or world.prose.language()
    streamed = not background and world.chance(0.6)
    question = world.question(language)
    items: list[dict[str, Any]] = [
        {"role": "user", "content": world.answer(language)},
        {"type": "function_call", "call_id": "call_1", "name": "search", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": world.question(language)},
        {"role": "user", "content": [{"type": "input_text", "text": question}]},
    ]
    asked = question if world.chance(0.4) else items[-world.between((1, len(items))) :]
    body: dict[str, Any] = {"model": model.deployment, "input": asked}
    if world.chance(0.5):
        body["instructions"] = world.prose.text("en", world.between(world.shape.instructions))
    if streamed:
        body["stream"] = True
    if background:
        body["background"] = True
    request = world.pick((COMPACT, SPACED))(body)
    text = world.answer(language)
    usage = usage_of(world, model, len(request), len(text))
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {"type": "message", "id": f"msg_{world.hex(16)}", "role": "assistant", "content": [part]}
    whole = {
        "id": f"resp_{world.hex(32)}",
        "object": "response",
        "status": "completed",
        "model": model.name,
        "output": [{"type": "reasoning", "id": f"rs_{world.hex(16)}", "summary": []}, message],
        "usage": usage.as_response(),
    }
    return Call(
        kind=f"responses, {'background' if background else 'streamed' if streamed else 'whole'}",
        measurement="responses_analytics",
        deployment=model.deployment,
        uri="/openai/v1/responses",
        request=request,
        response=stream(world, _response_events(world, whole, text), named=True, done=False)
        if streamed
        else COMPACT(whole),
        assembled=COMPACT(whole) if streamed else "",
        upstream="https://west.upstream.example/openai/v1/responses",
        usage=usage,
        messages=1 if isinstance(asked, str) else len(asked),
        background=background,
    )


def _response_events(world: World, whole: dict[str, Any], text: str) -> Iterator[str]:
    begun = whole | {"status": "in_progress", "output": [], "usage": None}
    yield COMPACT({"type": "response.created", "response": begun})
    item = whole["output"][-1]["id"]
    for piece in pieces(world, text):
        delta = {"item_id": item, "output_index": 1, "content_index": 0, "delta": piece}
        yield COMPACT({"type": "response.output_text.delta"} | delta)
    yield COMPACT({"type": "response.completed", "response": whole})


def anthropic(world: World, *, model: Model | None = None, language: str = "") -> Call:
    """Send messages to an Anthropic model, sometimes with a cached prompt."""
    model = model or world.pick(ANTHROPIC_MODELS)
    language = language or world.prose.language()
    streamed, cache = world.chance(0.6), world.chance(0.5)
    messages = _anthropic_messages(world, language)
    body: dict[str, Any] = {"model": model.deployment, "max_tokens": 4096, "messages": messages}
    if world.chance(0.6):
        system = world.prose.text(language, world.between(world.shape.instructions))
        mark = {"cache_control": {"type": "ephemeral"}} if cache else {}
        body["system"] = [{"type": "text", "text": system} | mark] if cache else system
    if streamed:
        body["stream"] = True
    request = world.pick((COMPACT, SPACED))(body)
    text = world.answer(language)
    usage = usage_of(world, model, len(request), len(text), cache=cache)
    usage = replace(usage, reasoning=0)  # Anthropic does not tell it
    thinking = {"type": "thinking", "thinking": world.question("en"), "signature": world.hex(16)}
    whole = {
        "id": f"msg_{world.hex(24)}",
        "type": "message",
        "role": "assistant",
        "model": model.name,
        "content": [thinking, {"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": usage.as_anthropic(),
    }
    return Call(
        kind=f"anthropic, {'streamed' if streamed else 'whole'}",
        measurement="anthropic_messages_analytics",
        deployment=model.deployment,
        uri="/anthropic/v1/messages" + world.pick(("", "?beta=true")),
        request=request,
        response=stream(world, _anthropic_events(world, whole, usage), named=True, done=False)
        if streamed
        else COMPACT(whole),
        assembled=COMPACT(whole) if streamed else "",
        upstream="https://west.upstream.example/anthropic/v1/messages",
        usage=usage,
        messages=len(messages),
    )


def _anthropic_messages(world: World, language: str) -> list[dict[str, Any]]:
    if world.chance(0.7):
        return [{"role": "user", "content": world.question(language)}]
    result = [{"type": "text", "text": world.question(language)}]
    return [
        {"role": "user", "content": [{"type": "text", "text": world.question(language)}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "find", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": result}]},
    ]


def _anthropic_events(world: World, whole: dict[str, Any], usage: Usage) -> Iterator[str]:
    told = usage.as_anthropic()
    begun = whole | {"content": [], "stop_reason": None, "usage": told | {"output_tokens": 1}}
    yield COMPACT({"type": "message_start", "message": begun})
    for index, block in enumerate(whole["content"]):
        kind = block["type"]
        start = {"type": kind, kind: ""}
        yield COMPACT({"type": "content_block_start", "index": index, "content_block": start})
        for piece in pieces(world, block[kind]):
            delta = {"type": f"{kind}_delta", kind: piece}
            yield COMPACT({"type": "content_block_delta", "index": index, "delta": delta})
        yield COMPACT({"type": "content_block_stop", "index": index})
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    yield COMPACT({"type": "message_delta", "delta": end, "usage": {"output_tokens": usage.completion}})
    yield COMPACT({"type": "message_stop"})
