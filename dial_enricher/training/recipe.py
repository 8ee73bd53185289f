"""The recipe: a corpus goes in, a model folder and a report come out.

1. A teacher, a transformer, turns each text into a vector.
2. BERTopic finds the clusters; those that reviewers have hardly seen become topics of their own.
3. A head on the teacher's vectors learns the topics from what reviewers said of single texts.
4. A student, one vector for each token, learns what teacher and head say of every text, of pieces of texts,
   of single words and of made-up chats.
5. The student gives every text its topic, and BERTopic describes the topics by their words.
6. Texts that were kept from both head and student tell how good all that is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from dial_enricher.errors import SettingError
from dial_enricher.topics import rows
from dial_enricher.training import augment, clusters, folder, head, student
from dial_enricher.training.corpus import NONE, is_held_out, read_corpus, read_topics
from dial_enricher.training.head import Head
from dial_enricher.training.measure import Evidence, measure
from dial_enricher.training.report import Report
from dial_enricher.training.student import Lessons, Start
from dial_enricher.training.teacher import Teacher, Vectors

_READ = 256
"""Tokens of a text that a student learns from: what the usual teachers read of it."""
_CHATS = 0.8
"""Made-up chats, as a share of the texts of the corpus."""
_SURE = 0.5
"""A text goes into made-up chats of a topic when the head is this sure of it."""
_TRUST = 0.3
"""What the head has to say about a text that was reviewed; the rest is the reviewer's."""
_LOST = 0.01
"""Part of the held-out texts with a topic that the limit on the similarity may leave without one."""


@dataclass(frozen=True)
class Recipe:
    """What to make a model of, and how."""

    corpus: Sequence[Path]
    output: Path
    labels: Sequence[Path] = ()
    topics: Path | None = None
    """The reviewed names of the topics, None: the keys are the names."""
    labelled: Sequence[Path] = ()
    """Files for the report alone."""
    teacher: str | None = None
    dimensions: int = 256
    smallest: int = 40
    """The least size of a cluster, in texts."""
    students: int = 2
    """How many are trained; their mean ships."""
    seed: int = 42


Say = Callable[[str], None]


def make(recipe: Recipe, cache: Path, say: Say, progress: bool) -> Report:
    """Makes the model; what the teacher says is kept in `cache`. Raises SettingError."""
    named = read_topics(recipe.topics) if recipe.topics else {}
    corpus = read_corpus(recipe.corpus, recipe.labels)
    labelled = {
        file.name: list(rows.labelled(file.read_bytes().splitlines(), file.name)) for file in recipe.labelled
    }
    for needed in (recipe.output, cache):  # what cannot be written is better known now than in an hour
        _make_folder(needed)
    say(f"{len(corpus.texts):,} texts, {len(corpus.reviewed):,} of them reviewed")
    teacher = Teacher(recipe.teacher, cache, progress)
    say(f"asking the teacher, {teacher.name}")
    vectors = teacher.embed(corpus.texts)

    say("looking for clusters")
    found = clusters.fit(corpus.texts, vectors, recipe.smallest, recipe.seed)
    new = clusters.unseen(found, corpus.reviewed)
    held_out = [place for place in sorted(corpus.reviewed) if is_held_out(corpus.texts[place])]
    given: dict[int, tuple[str, ...]] = {}
    given |= {place: (new[number],) for place, number in enumerate(found.topics) if number in new}
    given |= corpus.reviewed
    for place in held_out:
        del given[place]
    keys = [NONE, *sorted({key for own in given.values() for key in own} - {NONE})]
    if keys == [NONE]:
        raise SettingError(f"nothing to learn: no text has a topic, and no {recipe.smallest} texts are alike")

    say(f"learning {len(keys) - 1} topics, {len(new)} of them from clusters")
    taught = sorted(given)
    targets = head.targets([given[place] for place in taught], keys)
    known = head.fit(vectors[taught], targets, recipe.seed)
    shares = known.shares(vectors)
    shares[taught] = _TRUST * shares[taught] + (1 - _TRUST) * targets

    say("asking the teacher about words, and pieces of texts")
    lessons, start = _lessons(recipe, teacher, corpus.texts, vectors, shares, known, taught, held_out)
    students = []
    for number in range(recipe.students):
        say(f"training student {number + 1} of {recipe.students}")
        students.append(student.train(lessons, start, recipe.seed + number, say))
    embedded = folder.Embedded.of(student.mean(students), teacher.tokenizer)

    say("describing the topics")
    similarities = embedded.similarities(corpus.texts)
    told = [int(row) for row in similarities.argmax(axis=1)]
    ordered = folder.describe(found.model, corpus.texts, told, keys)
    with_topic = [place for place in held_out if corpus.reviewed[place][0] != NONE]
    limit = float(np.quantile(similarities[with_topic].max(axis=1), _LOST)) if with_topic else -1.0
    folder.save(recipe.output, found.model, embedded, keys, ordered, named, limit)

    say("measuring")
    evidence = Evidence(corpus, held_out, keys, named, vectors, known, similarities, limit)
    result = measure(evidence, found, len(new), teacher, recipe.output, labelled)
    result.save(recipe.output)
    return result


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"cannot write to {folder}: {error.strerror}") from None


def _lessons(
    recipe: Recipe,
    teacher: Teacher,
    texts: Sequence[str],
    vectors: Vectors,
    shares: Vectors,
    known: Head,
    taught: Sequence[int],
    held_out: Sequence[int],
) -> tuple[Lessons, Start]:
    """What the students learn, and where they begin. No held-out text is in it."""
    tokenizer = teacher.tokenizer
    vocabulary = [token for token, _ in sorted(tokenizer.get_vocab().items(), key=lambda one: one[1])]
    single = teacher.embed([augment.plain(token) for token in vocabulary])
    axes = np.linalg.svd(vectors[:: max(1, len(vectors) // 12_000)], full_matrices=False)[2]
    axes = np.ascontiguousarray(axes[: recipe.dimensions].T)

    left = sorted(set(range(len(texts))) - set(held_out))
    given = set(taught)
    pieces = augment.pieces([texts[place] for place in left], augment.plain_words(vocabulary), recipe.seed)
    seen = np.concatenate([vectors[left], teacher.embed(pieces)])
    judged = np.concatenate([shares[left], known.shares(seen[len(left) :])])
    tokens = _tokens(tokenizer, [texts[place] for place in left] + pieces)
    likeliest = shares[left].argmax(axis=1)
    sure = [
        np.flatnonzero((likeliest == topic) & (judged[: len(left), topic] > _SURE)).tolist()
        for topic in range(1, shares.shape[1])
    ]
    chats, members = augment.chats(
        tokens, sure, _tokens(tokenizer, augment.CHATTER), int(_CHATS * len(left)), recipe.seed
    )
    lessons = Lessons(
        tokens=tokens + chats,
        vectors=np.concatenate([seen, _means(seen, members)]) @ axes,
        shares=np.concatenate([judged, _means(judged, members)]),
        prior=judged[: len(left)].mean(axis=0),
        reviewed=[row for row, place in enumerate(left) if place in given and shares[place, 0] < _SURE],
    )
    return lessons, Start(single, axes, known.directions @ axes)


def _tokens(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    encoded = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    return [one.ids[:_READ] for one in encoded]


def _means(rows: Vectors, members: Sequence[Sequence[int]]) -> Vectors:
    """The mean of some rows for each group of members."""
    means = [rows[group].mean(axis=0) for group in members]
    return np.asarray(means, np.float32).reshape(len(members), rows.shape[1])
