"""What topics cost, each figure beside a baseline of the same run: `make bench-topics`.

Our engine has one core; the transformer that its model was learned from has all of them, and so has BERTopic.
Each lives in a process of its own, and those that are compared take turns.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from random import Random
from statistics import median
from typing import Any

from benchmarks.figures import HEAD, Figure, Goal, figure, in_turn
from benchmarks.logs import SAMPLE, SEED, talkative_line
from benchmarks.place import machine
from benchmarks.processes import MB, ROOT, first_output, run

MODEL = ROOT / "topic_model"
LENGTH = 2_000
"""Characters of a text."""
MANY = 5_000
"""Texts for the engines that are quick."""
FEW = 48
"""Texts for the transformer."""
ROUNDS = 5
PAIRS = 9
QUICK = 2_500
"""Texts in a second that are asked for, with what the stream does to a text: it looks at an excerpt."""

_installed = ROOT / ".venv" / "bin" / "python"
PROGRAM = (
    str(_installed if _installed.exists() else sys.executable),
    *("-m", "dial_enricher", "enrich", "--language", "off", "--topic-model", str(MODEL), "--topics"),
)

Timing = tuple[float, float]
"""Seconds by the clock, and of CPU."""


def chats(count: int) -> list[str]:
    """Texts of chats, the same in every run: questions, and what stands around them."""
    from dial_enricher.training.augment import CHATTER

    rows = (ROOT / "training" / "examples.ndjson").read_text("utf-8").splitlines()
    questions = [json.loads(row)["text"] for row in rows]
    chance = Random(SEED)
    texts = []
    for _ in range(count):
        text = chance.choice(CHATTER)
        while len(text) < LENGTH:
            text += "\n\n" + chance.choice(questions if chance.random() < 0.7 else CHATTER)
        texts.append(text[:LENGTH])
    return texts


# What the engines do, each in its process

_engine: Callable[[Sequence[str]], Any]


def _native() -> None:
    """Ours, with whole texts."""
    global _engine
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # before there is any thread
    from dial_enricher.topics import native

    _engine = native.load(MODEL).labels


def _as_in_the_stream() -> None:
    """Ours, with the excerpts that the stream makes of texts."""
    global _engine
    _native()
    from dial_enricher.topics.rows import asked

    labels = _engine

    def labels_of_excerpts(texts: Sequence[str]) -> Any:
        return labels([asked(text).text for text in texts])

    _engine = labels_of_excerpts


def _bertopic() -> None:
    global _engine
    from bertopic import BERTopic
    from model2vec import StaticModel

    _engine = BERTopic.load(str(MODEL), embedding_model=StaticModel.from_pretrained(str(MODEL))).transform


def _teacher() -> None:
    global _engine
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    from dial_enricher.training.teacher import packaged

    logging.disable_progress_bar()
    _engine = SentenceTransformer(packaged(), device="cpu").encode


def _timed(count: int) -> Timing:
    texts = chats(count)
    began = time.perf_counter(), time.process_time()
    _engine(texts)
    return time.perf_counter() - began[0], time.process_time() - began[1]


def _numbers_by_bertopic(texts: Sequence[str]) -> list[int]:
    numbers, _ = _engine(texts)
    return [int(number) for number in numbers]


def _numbers_by_ours(texts: Sequence[str]) -> list[int]:
    from dial_enricher.topics import native

    return [matches[0].topic.id for matches in native.load(MODEL).matches(texts, 1)]


def _process(prepare: Callable[[], None]) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, get_context("spawn"), prepare)


# The figures


def speeds() -> list[Figure]:
    """Texts in a second, beside the transformer and beside BERTopic; and whether BERTopic tells the same."""
    with (
        _process(_native) as ours,
        _process(_as_in_the_stream) as in_stream,
        _process(_teacher) as teacher,
        _process(_bertopic) as bertopic,
    ):

        def timed(process: ProcessPoolExecutor, count: int) -> Timing:
            return process.submit(_timed, count).result()

        whole = in_turn(ROUNDS, partial(timed, ours, MANY), partial(timed, teacher, FEW))
        cut = in_turn(ROUNDS, partial(timed, in_stream, MANY), partial(timed, teacher, FEW))
        beside_bertopic = in_turn(ROUNDS, partial(timed, ours, MANY), partial(timed, bertopic, MANY))
        texts = chats(MANY)
        expected = bertopic.submit(_numbers_by_bertopic, texts).result()
        told = ours.submit(_numbers_by_ours, texts).result()
    cores = os.cpu_count()
    clock, cpu = 0, 1
    same = sum(one == other for one, other in zip(told, expected, strict=True))
    name = f"Texts of {LENGTH:,} characters on one core"
    transformer = f"all-MiniLM-L6-v2 on {cores} cores"
    goal = Goal(">=", QUICK, "texts/s")
    everything = "Texts with the topic that BERTopic tells"
    return [
        _speed(f"{name}, uncut, by the clock", whole, clock, FEW, transformer),
        _speed(f"{name}, uncut, by CPU time", whole, cpu, FEW, transformer),
        _speed(f"{name}, cut as in the stream, by the clock", cut, clock, FEW, transformer, goal),
        _speed(f"{name}, uncut, by the clock", beside_bertopic, clock, MANY, f"BERTopic on {cores} cores"),
        figure(everything, "texts", [(same, MANY)], "all", Goal(">=", 1)),
    ]


def _speed(
    name: str,
    pairs: list[tuple[Timing, ...]],
    which: int,
    others: int,
    baseline: str,
    goal: Goal | None = None,
) -> Figure:
    speeds = [(MANY / one[which], others / other[which]) for one, other in pairs]
    return figure(name, "texts/s", speeds, baseline, goal)


def stream() -> list[Figure]:
    """What topics add to the program: memory, and time to the first point."""
    line = talkative_line()
    peaks = in_turn(PAIRS, *(partial(run, [*PROGRAM, topics, SAMPLE]) for topics in ("chat", "off")))
    starts = in_turn(
        PAIRS,
        *(partial(first_output, [*PROGRAM, topics, "--max-delay", "0"], line) for topics in ("chat", "off")),
    )
    memory = [[cost.rss / MB for cost in costs] for costs in peaks]
    return [
        _added("Peak memory that topics add", memory, "MB", 60),
        _added("Start to the first point that topics add", starts, "s", 0.4),
    ]


def _added(name: str, pairs: Sequence[Sequence[float]], unit: str, most: float) -> Figure:
    added = median(with_ - without for with_, without in pairs)
    without = median(without for _, without in pairs)
    ratios = [one / other for one, other in pairs]
    return Figure(
        name,
        added,
        unit,
        without,
        "topics off",
        median(ratios),
        f"<= {most} {unit}",
        added <= most,
        (min(ratios), max(ratios)),
    )


def main() -> None:
    """Measure, and print a table."""
    if not (MODEL / "topics.json").exists():
        raise SystemExit(f"{MODEL} has no model: make topic-model")
    size = sum(file.stat().st_size for file in MODEL.iterdir()) / MB
    place = machine() | {"model": f"{size:.1f} MB"}
    print(", ".join(f"{name} {value}" for name, value in place.items()), end="\n\n")
    print(HEAD)
    for part in (stream, speeds):
        for row in part():
            print(row.row(), flush=True)


if __name__ == "__main__":
    main()
