"""The model that ships: vectors of tokens, trained so that their sum says what the teacher says."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dial_enricher.topics.nearest import unit
from dial_enricher.training.head import BALANCE
from dial_enricher.training.teacher import Vectors

EPOCHS = 4
_BATCH = 512
_RATE = 4e-3
_DROPOUT = 0.3
"""Part of the tokens that are left out in training: no text is known by a single word."""
_ANCHOR = 0.1
"""What it costs a token to leave the place where the teacher's vector of it says that it belongs."""
_REVIEWED = 3
"""How often a reviewed text is seen in an epoch."""
_SCALE = 15.0
_COMMON = 1e-3
"""Tokens more frequent than this start with a weight below one half (smooth inverse frequency)."""


@dataclass(frozen=True)
class Lessons:
    """What a student learns: tokens of texts, where the teacher sees them, and what topics they have."""

    tokens: Sequence[Sequence[int]]
    vectors: Vectors
    """The teacher's, one row a text, as many columns as the student has dimensions."""
    shares: Vectors
    """How much each text belongs to each topic; rows add up to 1."""
    prior: Vectors
    """How frequent each topic is in the corpus."""
    reviewed: Sequence[int]
    """Positions of the texts that people have given a topic."""


@dataclass(frozen=True)
class Student:
    """The result: a vector for each token, its weight in it, and a direction for each topic."""

    table: Vectors
    directions: Vectors


@dataclass(frozen=True)
class Start:
    """Where a student begins."""

    tokens: Vectors
    """The teacher's vectors of single tokens, shape (tokens, dimensions of the teacher)."""
    axes: Vectors
    """From the teacher's space to the student's, shape (dimensions of the teacher, dimensions)."""
    directions: Vectors
    """Of the topics, shape (topics, dimensions)."""


def train(lessons: Lessons, start: Start, seed: int, say: Callable[[str], None]) -> Student:
    """Trains a student, and says so when an epoch is done."""
    import torch
    from torch.nn import functional

    torch.manual_seed(seed)
    bags = _Bags(lessons.tokens)
    vectors, shares = torch.tensor(lessons.vectors), torch.tensor(lessons.shares)
    prior = BALANCE * torch.tensor(lessons.prior).clamp(min=1e-6).log()
    model = _model(start, bags.frequencies(len(start.tokens)))
    optimiser = torch.optim.Adam(
        [
            {"params": [model.moved, model.projection], "lr": _RATE},
            {"params": [model.weight], "lr": 5 * _RATE},
            {"params": [model.directions, model.scale], "lr": 2 * _RATE},
        ]
    )
    seen = np.concatenate([np.arange(len(bags)), *[np.asarray(lessons.reviewed, int)] * (_REVIEWED - 1)])
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        [group["lr"] for group in optimiser.param_groups],
        total_steps=EPOCHS * math.ceil(len(seen) / _BATCH) + 1,
        pct_start=0.1,
    )
    for epoch in range(1, EPOCHS + 1):
        for rows in torch.randperm(len(seen)).split(_BATCH):
            texts = seen[rows.numpy()]
            vector, strain = model.embed(*bags.batch(texts), _DROPOUT)
            copied = 1 - functional.cosine_similarity(vector, vectors[texts], dim=1)
            told = functional.log_softmax(model.logits(vector) + prior, 1)
            loss = copied.mean() - (shares[texts] * told).sum(1).mean() + _ANCHOR * strain
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        say(f"  epoch {epoch} of {EPOCHS}, loss {float(loss.detach()):.3f}")
    trained: Student = model.result()
    return trained


def mean(students: Sequence[Student]) -> Student:
    """One student from several that began at the same place: surer than each, and no slower."""
    tables = [student.table / np.linalg.norm(student.table, axis=1).mean() for student in students]
    directions = np.sum([unit(student.directions) for student in students], axis=0)
    return Student(np.asarray(np.mean(tables, axis=0), np.float32), unit(directions))


class _Bags:
    """Texts as bags of tokens, laid out for `embedding_bag`."""

    def __init__(self, tokens: Sequence[Sequence[int]]) -> None:
        import torch

        self._lengths = np.array([len(text) for text in tokens])
        self._starts = np.concatenate([[0], np.cumsum(self._lengths)])
        self._tokens = torch.tensor(np.concatenate([np.asarray(text, np.int64) for text in tokens]))

    def __len__(self) -> int:
        return len(self._lengths)

    def frequencies(self, tokens: int) -> Any:
        """How frequent each token is, as parts of 1; none is 0."""
        import torch

        counts = torch.bincount(self._tokens, minlength=tokens).float()
        return (counts + 1) / counts.sum()

    def batch(self, texts: npt.NDArray[np.int64]) -> tuple[Any, Any]:
        """The tokens of some texts in one row, and where each text begins in it."""
        import torch

        rows = [self._tokens[self._starts[text] : self._starts[text + 1]] for text in texts]
        starts = np.concatenate([[0], np.cumsum(self._lengths[texts])[:-1]])
        return torch.cat(rows), torch.tensor(starts)


def _model(start: Start, frequencies: Any) -> Any:
    """The module to train. A token's vector is the teacher's of it, projected, and moved from there."""
    import torch
    from torch.nn import Module, Parameter, functional

    class Model(Module):  # type: ignore[misc]  # torch is not there when types are checked
        def __init__(self) -> None:
            super().__init__()
            centred = torch.tensor(start.tokens - start.tokens.mean(axis=0))
            self.start = centred / centred.norm(dim=1).mean()
            self.projection = Parameter(torch.tensor(start.axes))
            self.moved = Parameter(torch.zeros(len(start.tokens), start.axes.shape[1]))
            weight = _COMMON / (_COMMON + frequencies)
            self.weight = Parameter(torch.log(torch.expm1(weight.clamp(min=1e-3))))
            self.directions = Parameter(torch.tensor(start.directions))
            self.scale = Parameter(torch.tensor(math.log(_SCALE)))

        def embed(self, flat: Any, starts: Any, dropout: float) -> tuple[Any, Any]:
            used, places = flat.unique(return_inverse=True)
            moved = self.moved[used]
            weight = functional.softplus(self.weight)[flat]
            weight = weight * (torch.rand_like(weight) > dropout)
            vectors = self.start[used] @ self.projection + moved
            summed = functional.embedding_bag(places, vectors, starts, mode="sum", per_sample_weights=weight)
            return summed, (moved**2).sum(1).mean()

        def logits(self, vectors: Any) -> Any:
            unit = functional.normalize(vectors, dim=1)
            return self.scale.exp() * unit @ functional.normalize(self.directions, dim=1).T

        def result(self) -> Student:
            with torch.no_grad():
                table = (self.start @ self.projection + self.moved) * functional.softplus(self.weight)[
                    :, None
                ]
                return Student(table.numpy(), functional.normalize(self.directions, dim=1).numpy())

    return Model()
