"""How often the language is right, how fast it is told, at what cost: `python -m benchmarks.eval_language`.

The rows in `benchmarks/language/` fall into a half to tune on (`dev`) and a half that is only looked at to
report (`held-out`), by a checksum of the question. Each engine runs in a process of its own, so that the peak
of memory is its own; the engine `ours` is the enricher as the program runs it, `lingua` the bare library on
question and answer in full.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dial_enricher.enrich.language import Language
from dial_enricher.event import Event, Exchange, Line, Texts

ROWS = Path(__file__).parent / "language"
ENGINES = ("ours low", "ours high", "lingua low", "lingua high")
HALVES = ("dev", "held-out")
UNDEFINED = "undefined"
WORST = 12
"""Languages listed as the worst."""

Guess = Callable[[list["Row"]], list[str]]


@dataclass(frozen=True, slots=True)
class Row:
    """One text of the evaluation and the language a speaker would name."""

    language: str
    kind: str
    asked: str
    answer: str = ""

    @property
    def half(self) -> str:
        return HALVES[zlib.crc32(self.asked.encode()) % 2]


def rows(half: str | None = None) -> list[Row]:
    """All rows, or those of one half."""
    lines = (line for path in sorted(ROWS.glob("*.ndjson")) for line in path.read_text("utf-8").splitlines())
    return [row for line in lines if (row := Row(**json.loads(line))) and half in (None, row.half)]


def ours(accuracy: str, languages: Sequence[str] | None = None) -> Guess:
    """The enricher, as the pipeline calls it: one batch of events."""
    enricher = Language(everyone=True, languages=languages, accuracy="high" if accuracy == "high" else "low")

    def guess(texts: list[Row]) -> list[str]:
        events = [_event(row) for row in texts]
        enricher.fill(events)
        return [event.exchange.columns.get("language") or UNDEFINED for event in events if event.exchange]

    return guess


def plain_lingua(accuracy: str, languages: Sequence[str] | None = None) -> Guess:
    """The library by itself, on everything that was said."""
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    builder = LanguageDetectorBuilder.from_all_languages()
    if languages is not None:
        builder = LanguageDetectorBuilder.from_iso_codes_639_1(*map(IsoCode639_1.from_str, languages))
    detector = (builder.with_low_accuracy_mode() if accuracy == "low" else builder).build()

    def guess(texts: list[Row]) -> list[str]:
        found = detector.detect_languages_in_parallel_of([f"{row.asked}\n\n{row.answer}" for row in texts])
        return [language.iso_code_639_1.name.lower() if language else UNDEFINED for language in found]

    return guess


def _event(row: Row) -> Event:
    texts = Texts(asked=[row.asked], answer=[row.answer] if row.answer else [])
    exchange = Exchange("analytics", {"chat_id": "c"}, read_texts=lambda: texts)
    return Event(b"", Line(b"", "eval", 1), exchange=exchange)


def measure(engine: str, languages: Sequence[str] | None) -> dict[str, Any]:
    """One engine over all rows, in this process.

    The speed is of another one over the same rows: models are loaded by then, and nothing is remembered.
    """
    name, accuracy = engine.split()
    make = ours if name == "ours" else plain_lingua
    everything = rows()
    guesses = make(accuracy, languages)(everything)
    guess = make(accuracy, languages)
    started = time.perf_counter()
    guess(everything)
    rate = len(everything) / (time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"engine": engine, "guesses": guesses, "texts_per_s": round(rate), "peak_mib": round(peak)}


def report(results: list[dict[str, Any]]) -> str:
    """The results as Markdown."""
    everything = rows()
    head = ["texts", "n", *(result["engine"] for result in results)]
    groups: dict[str, list[int]] = defaultdict(list)
    languages: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(everything):
        groups[f"**{row.half}**"].append(place)
        groups[f"{row.half}: {row.kind}"].append(place)
        if row.kind == "code" and row.language != "en":
            groups[f"{row.half}: code, not English"].append(place)
        languages[row.language].append(place)
    table = [_line(label, groups[label], everything, results) for label in sorted(groups)]
    table.append(["texts/s", "", *(str(result["texts_per_s"]) for result in results)])
    table.append(["peak memory, MiB", "", *(str(result["peak_mib"]) for result in results)])
    worst = [_line(code, places, everything, results) for code, places in languages.items()]
    worst.sort(key=lambda cells: float(cells[2].rstrip("%")))
    return f"{_markdown(head, table)}\n\nFound least often:\n\n{_markdown(head, worst[:WORST])}"


def _line(label: str, places: list[int], everything: list[Row], results: list[dict[str, Any]]) -> list[str]:
    right = [sum(result["guesses"][i] == everything[i].language for i in places) for result in results]
    return [label, str(len(places)), *(f"{100 * count / len(places):.1f}%" for count in right)]


def _markdown(head: list[str], table: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *table])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--languages", help="ISO 639-1 codes to choose from, by comma (default: all)")
    parser.add_argument("--json", type=Path, help="also write every guess to this file")
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    languages = options.languages.split(",") if options.languages else None
    if options.engine:
        json.dump(measure(options.engine, languages), sys.stdout)
        return
    results = []
    for engine in ENGINES:
        command = [sys.executable, "-m", "benchmarks.eval_language", "--engine", engine]
        if options.languages:
            command += ["--languages", options.languages]
        results.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
    print(report(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
