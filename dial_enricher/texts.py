"""Parts of natural language in the documents of an exchange."""

from collections.abc import Iterable, Iterator
from typing import Any

from dial_enricher.take import objects


def parts(content: Any, types: tuple[str, ...]) -> Iterator[str]:
    """The texts of a content: it is one text, or a list of parts of which some types count."""
    if isinstance(content, str):
        yield content
    for part in objects(content):
        if part.get("type") in types and isinstance(part.get("text"), str):
            yield part["text"]


def trimmed(texts: Iterable[str]) -> list[str]:
    """Each text without the white space around it; empty ones are dropped."""
    return [part for text in texts if (part := text.strip())]
