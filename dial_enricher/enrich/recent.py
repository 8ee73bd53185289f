"""What was told of the last texts: agents, retries and templates say the same again and again."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Generic, TypeVar

REMEMBERED = 1024
"""Texts whose answer is kept."""

T = TypeVar("T")


class Recent(Generic[T]):
    """Answers by the hash of their text, so that no conversation stays in memory."""

    def __init__(self, ask: Callable[[list[str]], Sequence[T]], remembered: int = REMEMBERED) -> None:
        """`ask` gives an answer for each text, and may raise."""
        self._ask = ask
        self._remembered = remembered
        self._answers: OrderedDict[bytes, T] = OrderedDict()
        """The text used last is last."""

    def of(self, texts: Sequence[str]) -> list[T]:
        """The answer for each text; asks for the unknown ones, at once."""
        keys = [_key(text) for text in texts]
        answers = {key: self._answers[key] for key in keys if key in self._answers}
        if new := {key: text for key, text in zip(keys, texts, strict=True) if key not in answers}:
            answers.update(zip(new, self._ask(list(new.values())), strict=True))
        for key, answer in answers.items():
            self._answers[key] = answer
            self._answers.move_to_end(key)
        while len(self._answers) > self._remembered:
            self._answers.popitem(last=False)
        return [answers[key] for key in keys]


def _key(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
