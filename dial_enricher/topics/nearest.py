"""Which topics are nearest to a vector."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dial_enricher.topics.model import Match, Topic

Matrix = NDArray[np.float32]


def unit(rows: Matrix) -> Matrix:
    """The rows with a length of 1 each; zeros stay zeros."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths == 0, 1, lengths), np.float32)


class Nearest:
    """Topics and their directions."""

    def __init__(self, topics: Sequence[Topic], vectors: Matrix) -> None:
        """`vectors` has a row for each topic, in the order of the topics, of any length."""
        self.topics = tuple(topics)
        self.directions = unit(vectors)
        """A row of length 1 for each topic; zeros stay zeros."""

    def to(self, vector: NDArray[np.float32], count: int) -> list[Match]:
        """The `count` nearest topics, the nearest first, equal ones in their order; none to zeros."""
        length = np.linalg.norm(vector)
        if not length:
            return []
        similarities = self.directions @ (vector / length)
        if count == 1:  # nearly always
            order = [int(similarities.argmax())]
        else:
            order = np.argsort(-similarities, kind="stable")[:count].tolist()
        return [Match(self.topics[row], float(similarities[row])) for row in order]
