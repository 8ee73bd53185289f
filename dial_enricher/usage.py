"""Tokens: from the first place that tells them, never mixed from two.

Core's `token_usage` comes first (it holds the subtree's tokens and the prices), then the `usage` of the
answer, then, for chat, the sum over the answer's `statistics.usage_per_model`.
"""

from typing import Any

from dial_enricher.event import Usage
from dial_enricher.take import Table, dig, objects, row, table, take
from dial_enricher.values import Notes, amount, count, text

_OPENAI = (
    row("prompt_tokens", "prompt_tokens", count),
    row("completion_tokens", "completion_tokens", count),
    row("prompt_tokens_details.cached_tokens", "cached_prompt_tokens", count),
    row("prompt_tokens_details.cache_write_tokens", "cache_write_prompt_tokens", count),
    row("completion_tokens_details.reasoning_tokens", "reasoning_completion_tokens", count),
)
RESPONSES = table(
    row("input_tokens", "prompt_tokens", count),
    row("output_tokens", "completion_tokens", count),
    row("input_tokens_details.cached_tokens", "cached_prompt_tokens", count),
    row("input_tokens_details.cache_write_tokens", "cache_write_prompt_tokens", count),
    row("output_tokens_details.reasoning_tokens", "reasoning_completion_tokens", count),
)
ANTHROPIC = table(
    row("input_tokens", "prompt_tokens", count),
    row("output_tokens", "completion_tokens", count),
    row("cache_read_input_tokens", "cached_prompt_tokens", count),
    row("cache_creation_input_tokens", "cache_write_prompt_tokens", count),
)
_PRICES = (row("price", "price", amount), row("deployment_price", "deployment_price", amount))
OPENAI, _CORE = table(*_OPENAI), table(*_OPENAI, *_PRICES)


def of_core(data: Any, notes: Notes) -> Usage | None:
    """Core's own `token_usage`; None when it is absent or empty."""
    token_usage = dig(data, ("token_usage",))
    if not isinstance(token_usage, dict) or not token_usage:
        return None
    if "prompt_token_details" in token_usage:  # one build of DIAL Core spelled it so
        token_usage = {"prompt_tokens_details": token_usage["prompt_token_details"], **token_usage}
    return Usage(**take(_CORE, token_usage, notes))


def of_answer(answer: Any, rows: Table, notes: Notes) -> Usage | None:
    """The `usage` of the answer, spelled as the rows say; None when it is absent or empty."""
    usage = dig(answer, ("usage",))
    if not isinstance(usage, dict) or not usage:
        return None
    return Usage(**take(rows, usage, notes))


def of_anthropic_answer(answer: Any, notes: Notes) -> Usage | None:
    """Anthropic's `usage`, whose input tokens leave out what the cache read and wrote: added here."""
    usage = of_answer(answer, ANTHROPIC, notes)
    if usage:
        cached = (usage.cached_prompt_tokens or 0) + (usage.cache_write_prompt_tokens or 0)
        usage.prompt_tokens = (usage.prompt_tokens or 0) + cached
    return usage


def per_model(answer: Any, notes: Notes) -> list[tuple[str, Usage]]:
    """What a DIAL application reports of the models it called: model and usage."""
    return [
        (text(entry.get("model"), notes) or "", Usage(**take(OPENAI, entry, notes)))
        for entry in objects(dig(answer, ("statistics", "usage_per_model")))
    ]


def total(usages: list[Usage]) -> Usage | None:
    """The sum; None of none."""
    if not usages:
        return None
    return Usage(**{to: sum(getattr(usage, to) or 0 for usage in usages) for _, _, to, _ in _OPENAI})
