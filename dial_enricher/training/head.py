"""Which topic a teacher's vector means: learned from the texts that have one."""

import math
from dataclasses import dataclass

import numpy as np

from dial_enricher.training.teacher import Vectors

BALANCE = 0.7
"""How much of a topic's frequency in the corpus is taken out: 0 keeps it, 1 makes all topics equal.

What people ask of a gateway is not spread as the corpus is, so rare topics must not be told too seldom.
"""
_SCALE = 12.0
_DROPOUT = 0.5
"""Without it the head knows its texts by heart, and is 2 points worse at others."""
_EPOCHS = 60
_BATCH = 512
_RATE = 0.01


@dataclass(frozen=True)
class Head:
    """A direction for each topic, in the space of the teacher."""

    directions: Vectors
    scale: float
    """What a cosine is multiplied with to become a logarithm of a likelihood."""

    def shares(self, vectors: Vectors) -> Vectors:
        """How likely each topic is, shape (texts, topics), rows add up to 1."""
        logits = self.scale * (vectors @ self.directions.T)
        likely = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(likely / likely.sum(axis=1, keepdims=True), np.float32)

    def nearest(self, vectors: Vectors) -> list[int]:
        """The topic of each vector."""
        return [int(topic) for topic in (vectors @ self.directions.T).argmax(axis=1)]


def fit(vectors: Vectors, targets: Vectors, seed: int) -> Head:
    """Learns from vectors (texts, dimensions) and how much they belong to each topic (texts, topics)."""
    import torch
    from torch.nn import functional

    torch.manual_seed(seed)
    given, wanted = torch.tensor(vectors), torch.tensor(targets)
    weights = functional.normalize(wanted.T @ given, dim=1).clone().requires_grad_(True)
    scale = torch.tensor(math.log(_SCALE), requires_grad=True)
    prior = BALANCE * (wanted.mean(0) + 1e-4).log()
    optimiser = torch.optim.AdamW(
        [{"params": [weights], "weight_decay": 1e-4}, {"params": [scale], "weight_decay": 0.0}], lr=_RATE
    )
    steps = _EPOCHS * math.ceil(len(given) / _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps + 1)
    for _ in range(_EPOCHS):
        for rows in torch.randperm(len(given)).split(_BATCH):
            seen = functional.normalize(functional.dropout(given[rows], _DROPOUT), dim=1)
            logits = scale.exp() * seen @ functional.normalize(weights, dim=1).T + prior
            loss = -(wanted[rows] * functional.log_softmax(logits, 1)).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    directions = functional.normalize(weights.detach(), dim=1).numpy()
    return Head(directions, float(scale.exp().detach()))


def targets(keys: list[tuple[str, ...]], topics: list[str]) -> Vectors:
    """How much each text belongs to each topic: the first of two keys counts for about twice the second."""
    place = {key: number for number, key in enumerate(topics)}
    wanted = np.zeros((len(keys), len(topics)), np.float32)
    for row, own in enumerate(keys):
        for key, share in zip(own, (1.0,) if len(own) == 1 else (0.65, 0.35), strict=False):
            wanted[row, place[key]] += share
    return wanted
