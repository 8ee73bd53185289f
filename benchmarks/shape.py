"""What a log is like: `python -m benchmarks.shape [FILE]`; by itself it looks at one like the benchmark's.

The benchmark is fair when its log is like production: as long, and as various. What repeats (questions,
sentences, words) could be kept by a cache, so this says how much of it has come before.
"""

import argparse
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import mean, median, quantiles
from typing import NamedTuple

from benchmarks.conversation import Conversation, conversation
from benchmarks.logs import generated_log
from dial_enricher import Enricher

LINES = 6_000
WINDOW = 300
"""Characters at the head of a text, which a program that takes samples would look at."""
Texts = Sequence[str]
WORD = re.compile(r"\w+")
SENTENCE = re.compile(r"[^.?!。？！\n]{20,}")
KINDS = {"/mcp": "mcp", "/rate": "rating", "/route/": "route"}


class Shape(NamedTuple):
    """What was found in a log."""

    sizes: dict[str, list[int]]
    """Bytes of lines by their kind."""
    histories: list[int]
    """Messages of chats."""
    questions: Texts
    answers: Texts


def shape_of(lines: Iterable[bytes]) -> Shape:
    """Look at each line."""
    sizes: defaultdict[str, list[int]] = defaultdict(list)
    histories, questions, answers = [], [], []
    for line in lines:
        talk = conversation(line)
        sizes[kind_of(line, talk)].append(len(line))
        if talk and talk.kind == "chat":
            histories.append(len(talk.request["messages"]))
            questions += talk.asked[-1:]
            answers.append(talk.answer)
    return Shape(sizes, histories, questions, answers)


def kind_of(line: bytes, talk: Conversation | None) -> str:
    """Say in a word what a line is."""
    if talk and talk.kind == "chat":
        return "chat, streamed" if talk.request.get("stream") else "chat, whole"
    if talk:
        return talk.kind
    head = re.search(rb'"uri":"([^"]*)"', line)
    uri = head[1].decode().replace("\\/", "/") if head else ""
    return next((kind for part, kind in KINDS.items() if part in uri), "other")


def repeated(things: Iterable[str]) -> float:
    """The share of things that had come before."""
    seen = Counter(things)
    return 1 - len(seen) / max(seen.total(), 1)


def rows(shape: Shape) -> Iterable[tuple[str, str]]:
    """What is printed."""
    everything = [size for sizes in shape.sizes.values() for size in sizes]
    chats = len(shape.histories)
    for kind, sizes in sorted([("all lines", everything), *shape.sizes.items()]):
        share = f"{len(sizes) / len(everything):.1%} of lines, {sum(sizes) / sum(everything):.1%} of bytes"
        yield kind, f"{share}; {_spread(sizes)} bytes"
    streamed = len(shape.sizes.get("chat, streamed", ()))
    yield "chats that are streamed", f"{streamed / chats:.1%}"
    messages = Counter(shape.histories)
    yield "messages of a chat", ", ".join(f"{n}: {messages[n] / chats:.0%}" for n in sorted(messages))
    yield "characters of a question", _spread([len(text) for text in shape.questions])
    yield "characters of an answer", _spread([len(text) for text in shape.answers])
    both: tuple[tuple[str, Texts], ...] = (("questions", shape.questions), ("answers", shape.answers))
    for name, texts in both:
        yield f"{name} that came before", f"{repeated(texts):.2%}"
        yield f"{name} whose head came before", f"{repeated(text[:WINDOW] for text in texts):.2%}"
        yield f"sentences of {name} that came before", f"{repeated(_pieces(SENTENCE.findall, texts)):.1%}"
        yield from vocabulary(name, texts)


def vocabulary(name: str, texts: Texts) -> Iterable[tuple[str, str]]:
    """How words are spread over texts."""
    words = Counter(_pieces(WORD.findall, texts))
    counts = [count for _, count in words.most_common()]
    total = words.total()
    yield f"words of {name}", f"{total:,}, {len(words):,} different"
    yield "of these the 100 most frequent are", f"{sum(counts[:100]) / total:.0%}"
    yield "of the different ones occur once", f"{counts.count(1) / len(counts):.0%}"
    half = len(texts) // 2
    known = set(_pieces(WORD.findall, texts[:half]))
    later = list(_pieces(WORD.findall, texts[half:]))
    yield "in the second half are new", f"{sum(word not in known for word in later) / len(later):.1%}"


def _pieces(cut: Callable[[str], list[str]], texts: Texts) -> Iterable[str]:
    return (piece for text in texts for piece in cut(text))


def _spread(numbers: Sequence[int]) -> str:
    if len(numbers) < 2:
        return f"{numbers[0]:,}" if numbers else "none"
    least, most = (quantiles(numbers, n=20)[place] for place in (0, -1))
    return (
        f"{mean(numbers):,.0f} on average, median {median(numbers):,.0f}, 90% in {least:,.0f} to {most:,.0f}"
    )


def told(lines: Iterable[bytes], tag: str) -> str:
    """What the program itself says of the lines."""
    values = Counter(
        point.tags[tag]
        for point in Enricher().points(lines)
        if point.tags.get(tag, "undefined") != "undefined"
    )
    shown = ", ".join(f"{value} {count / values.total():.1%}" for value, count in values.most_common(20))
    return f"{len(values)} different: {shown}"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shape", description="Say what a log is like.")
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="default: one like the benchmark's"
    )
    file = parser.parse_args().file or generated_log("production", LINES)
    print(f"| what | {file.name} |\n|---|---|")
    with file.open("rb") as lines:
        for name, value in rows(shape_of(lines)):
            print(f"| {name} | {value} |", flush=True)
    for tag in ("language", "topic"):
        with file.open("rb") as lines:
            print(f"| {tag}s, as the program tells them | {told(lines, tag)} |", flush=True)


if __name__ == "__main__":
    main()
