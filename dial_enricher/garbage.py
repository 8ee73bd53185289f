"""The garbage collector, kept from looking at every record: records hold no cycles, and models never die."""

import gc
from collections.abc import Iterable, Iterator
from typing import TypeVar

_EVERY = 250
"""Batches between two looks, for cycles that libraries or errors may have left."""

T = TypeVar("T")


def seldom_collected(batches: Iterable[T]) -> Iterator[T]:
    """The batches, with the collector at rest while they are worked on."""
    gc.freeze()
    gc.disable()
    try:
        for number, batch in enumerate(batches, 1):
            yield batch
            if number % _EVERY == 0:
                gc.collect()
    finally:
        gc.enable()
        gc.unfreeze()
