"""A request to the gateway and its answer, before Core's log wraps them."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.dialcore.world import Model, World

Encode = Callable[[Any], str]
COMPACT: Encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
SPACED: Encode = json.JSONEncoder(ensure_ascii=False).encode
ASCII: Encode = json.JSONEncoder().encode
"""Clients write JSON in their own ways; only the last one can carry half of a surrogate pair."""


@dataclass(slots=True, frozen=True)
class Usage:
    """Tokens, and what they cost."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    cost: Decimal = Decimal(0)

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.cached + other.cached,
            self.cache_write + other.cache_write,
            self.reasoning + other.reasoning,
            self.cost + other.cost,
        )

    @property
    def counted(self) -> bool:
        """Whether there are any tokens at all."""
        return self.prompt > 0

    def as_token_usage(self, own: Decimal) -> dict[str, Any]:
        """Write what Core logs; `own` is the part of the cost that is not the subtree's."""
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "deployment_price": own,
            "price": self.cost,
        } | self._details()

    def as_chat(self) -> dict[str, Any]:
        """Write it as a chat completion tells it."""
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
        } | self._details()

    def as_response(self) -> dict[str, Any]:
        """Write it as the Responses API tells it."""
        return {
            "input_tokens": self.prompt,
            "input_tokens_details": {"cached_tokens": self.cached},
            "output_tokens": self.completion,
            "output_tokens_details": {"reasoning_tokens": self.reasoning},
            "total_tokens": self.prompt + self.completion,
        }

    def as_anthropic(self) -> dict[str, Any]:
        """Write it as Anthropic tells it: the input is what no cache had to do with."""
        return {
            "input_tokens": self.prompt - self.cached - self.cache_write,
            "cache_creation_input_tokens": self.cache_write,
            "cache_read_input_tokens": self.cached,
            "output_tokens": self.completion,
        }

    def _details(self) -> dict[str, Any]:
        details: dict[str, Any] = {}
        if self.cached or self.cache_write:
            details["prompt_tokens_details"] = {"cached_tokens": self.cached}
            if self.cache_write:
                details["prompt_tokens_details"]["cache_write_tokens"] = self.cache_write
        if self.reasoning:
            details["completion_tokens_details"] = {"reasoning_tokens": self.reasoning}
        return details


def usage_of(world: World, model: Model, prompt: int, completion: int, *, cache: bool = False) -> Usage:
    """Count tokens for that many characters, and price them. An embedding knows no cache."""
    asked, told = prompt // 4 + 1, completion // 4
    return Usage(
        asked,
        told,
        cached=asked // 2 if cache or (told and world.chance(0.2)) else 0,
        cache_write=asked // 4 if cache else 0,
        reasoning=told // 3 if world.chance(0.15) else 0,
        cost=asked * model.prompt + told * model.completion,
    )


@dataclass(slots=True, frozen=True)
class Call:
    """What went through the gateway, and what its point has to be."""

    kind: str
    """For people: what sort of call this is."""
    measurement: str
    """Of its point; empty when it becomes none."""
    deployment: str
    uri: str
    request: str
    response: str
    assembled: str = ""
    method: str = "POST"
    status: int = 200
    upstream: str = ""
    usage: Usage = field(default_factory=Usage)
    """Of this call alone."""
    told: bool = True
    """Whether the answer itself tells the usage."""
    messages: int = 0
    points: int = 1
    rate: bool | None = None
    background: bool = False

    def told_usage(self) -> Usage:
        """The usage that can be read in the answer."""
        return self.usage if self.told else Usage()


def stream(world: World, payloads: Iterable[str], *, named: bool = False, done: bool = True) -> str:
    """Write server-sent events, in one of the ways that servers have.

    `named` puts the `type` that each payload begins with before it, as the name of the event.
    """
    newline = "\r\n" if world.chance(0.06) else "\n"
    data = "data:" if world.chance(0.06) else "data: "
    gap = newline if not named and world.chance(0.04) else newline * 2
    parts = [": ping" + newline * 2] if world.chance(0.08) else []
    for payload in payloads:
        if named:
            name = payload.split('"', 4)[3]
            parts.append(f"event: {name}{newline}")
        parts.append(f"{data}{payload}{gap}")
    if done:
        parts.append(f"{data}[DONE]{gap}")
    return "".join(parts)


def pieces(world: World, text: str) -> list[str]:
    """Cut a text into the pieces in which a model streams it."""
    cut: list[str] = []
    most, randint, start = 2 * world.shape.piece - 1, world.dice.randint, 0
    while start < len(text):
        end = start + randint(1, most)
        cut.append(text[start:end])
        start = end
    return cut
