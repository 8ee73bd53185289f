"""Where the time goes: CPU microseconds for a line in each stage: `python -m benchmarks.stages LOG`.

The program's own parts run in this process, with a stopwatch around each stage of the pipeline. Prints JSON.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar
from unittest.mock import patch

from benchmarks.processes import ROOT
from dial_enricher import pipeline as pipeline_module
from dial_enricher.assemble import assemble, make_graveyard, make_input, make_sink, make_sources
from dial_enricher.enrich.language import Language
from dial_enricher.enrich.topic import Topic
from dial_enricher.event import Line
from dial_enricher.pipeline import Pipeline
from dial_enricher.settings import Scope, Settings
from dial_enricher.signals import Stop

P = ParamSpec("P")
T = TypeVar("T")
WARM_UP = 10
"""Batches that load what is needed and do not count."""
STAGES = (
    "read",
    "decode",
    "understand",
    "language",
    "topics",
    "price",
    "points",
    "render",
    "write",
    "accounts",
)
"""In the order of the work; `accounts` is what the pipeline itself does."""


class Times(NamedTuple):
    """What a line takes."""

    lines: int
    stages: dict[str, float]
    """CPU microseconds of a line, by stage."""


class Stopwatch:
    """Adds up the CPU time that all threads of this process take while something runs."""

    def __init__(self) -> None:
        self.nanoseconds: defaultdict[str, int] = defaultdict(int)

    def around(self, stage: str, work: Callable[P, T]) -> Callable[P, T]:
        """The same work, watched."""

        def watched(*args: P.args, **kwargs: P.kwargs) -> T:
            begin = time.process_time_ns()
            try:
                return work(*args, **kwargs)
            finally:
                self.nanoseconds[stage] += time.process_time_ns() - begin

        return watched


def times(log: Path, *, scope: Scope, languages: tuple[str, ...] = ()) -> Times:
    """Let a log through, with language and topics of a scope; the points are thrown away."""
    settings = Settings(
        language=scope,
        languages=languages,
        topics=scope,
        topic_model=str(ROOT / "topic_model"),
        output="/dev/null",
    )
    stop, watch = Stop(), Stopwatch()
    sink, graveyard = make_sink(settings, stop), make_graveyard(settings, stop)
    reader, _ = make_input(settings, make_sources(settings, [str(log)]), stop, (sink, graveyard), 1)
    pipeline = assemble(settings, sink, graveyard)
    with ExitStack() as patches:
        for stage, owner, name in _work(pipeline):
            patches.enter_context(patch.object(owner, name, watch.around(stage, getattr(owner, name))))
        return _measured(reader.batches(), pipeline, watch)


def _work(pipeline: Pipeline) -> Iterator[tuple[str, object, str]]:
    """The stage, who does its work, and the name of that."""
    yield "decode", pipeline, "decode"
    yield "understand", pipeline_module, "understand"
    yield "language", Language, "fill"
    yield "topics", Topic, "fill"
    yield "price", pipeline.pricing, "price"
    yield "points", pipeline.builder, "build"
    yield "render", pipeline, "render"
    yield "write", pipeline.sink, "write"


def _measured(batches: Iterator[list[Line]], pipeline: Pipeline, watch: Stopwatch) -> Times:
    for _ in range(WARM_UP):
        pipeline.process(next(batches))
    watch.nanoseconds.clear()
    read = watch.around("read", lambda: next(batches, None))
    begin, lines = time.process_time_ns(), 0
    while (batch := read()) is not None:
        pipeline.process(batch)
        lines += len(batch)
    watch.nanoseconds["accounts"] = time.process_time_ns() - begin - sum(watch.nanoseconds.values())
    return Times(lines, {stage: watch.nanoseconds[stage] / 1000 / lines for stage in STAGES})


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stages", description="Time the stages.")
    parser.add_argument("log", type=Path, metavar="LOG")
    parser.add_argument("--languages", default="", help="ISO 639-1 codes, by comma (default: all)")
    parser.add_argument("--scope", choices=list(Scope), type=Scope, default=Scope.CHAT)
    options = parser.parse_args()
    languages = tuple(filter(None, options.languages.split(",")))
    print(json.dumps(times(options.log, scope=options.scope, languages=languages)._asdict()))


if __name__ == "__main__":
    main()
