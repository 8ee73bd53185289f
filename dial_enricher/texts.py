"""Parts of natural language in the documents of an exchange."""

from collections.abc import Iterable, Iterator
from typing import Any


def parts(content: Any, types: tuple[str, ...]) -> Iterator[str]:
    """The texts of a content: it is one text, or a list of parts of which some types count."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, dict) and part.get("type") in types and isinstance(part.get("text"), str):
                yield part["text"]


def trimmed(texts: Iterable[str]) -> list[str]:
    """Each text without the white space around it; empty ones are dropped."""
    return [part for text in texts if (part := text.strip())]


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list; of anything else none."""
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield item
