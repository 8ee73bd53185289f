"""What was measured, run by run: a JSON file for each, and the latest as Markdown with those before it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.figures import HEAD, Figure, number

SHOWN = 6
"""Runs that stand side by side."""


@dataclass(slots=True, frozen=True)
class Report:
    """A run of the benchmark."""

    date: str
    """With the minute, UTC."""
    commit: str
    machine: dict[str, str]
    libraries: dict[str, str]
    log: str
    figures: list[Figure]
    stages: dict[str, dict[str, float]]
    """CPU microseconds of a line, by stage, for each way to run the program."""
    floor: float
    """The same for a program that only decodes."""
    lines: list[int]
    seconds: list[float]
    """By the clock for so many lines, without start."""

    @property
    def name(self) -> str:
        """Of its file; a run of sources that are in no commit has a plus."""
        return f"{self.date.split()[0]}-{self.commit}"

    @classmethod
    def read(cls, file: Path) -> Self:
        """The report in a file."""
        report: dict[str, Any] = json.loads(file.read_text("utf-8"))
        figures = [Figure(**(row | {"spread": _pair(row["spread"])})) for row in report.pop("figures")]
        return cls(figures=figures, **report)

    def to_json(self) -> str:
        """The report as a file holds it."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


def _pair(spread: list[float] | None) -> tuple[float, float] | None:
    return (spread[0], spread[1]) if spread else None


def keep(report: Report, folder: Path) -> None:
    """Write the report, and its Markdown with the runs before it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{report.name}.json").write_text(report.to_json(), "utf-8")
    before = [Report.read(file) for file in sorted(folder.glob("*.json"))]
    (folder / "latest.md").write_text(markdown(report, before), "utf-8")


def markdown(report: Report, runs: Sequence[Report]) -> str:
    """A report for people; `runs` are all that are kept, this one too."""
    facts = report.machine | report.libraries | {"commit": report.commit, "date": report.date}
    place = ", ".join(f"{name} {value}" for name, value in facts.items())
    rows = [figure.row() for figure in report.figures]
    text = f"# Speed\n\n{place}. The log: {report.log}.\n\n" + "\n".join([HEAD, *rows]) + "\n"
    shown = sorted(runs, key=lambda run: run.date)[-SHOWN:]
    return f"{text}\n{_side_by_side(report, shown)}" if len(shown) > 1 else text


def _side_by_side(report: Report, runs: Sequence[Report]) -> str:
    """What has a goal, in several runs: where the goal is one for the ratio, the ratio."""
    head = ["what", *(f"{run.date.split()[0]} {run.commit}" for run in runs), "goal"]
    rows = [head, ["---", *["---:"] * len(runs), "---"]]
    for figure in report.figures:
        if figure.goal:
            rows.append([figure.name, *(_told(figure.name, run) for run in runs), figure.goal])
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
    return f"## Runs\n\n{table}\n"


def _told(name: str, run: Report) -> str:
    found = next((figure for figure in run.figures if figure.name == name), None)
    if found is None:
        return ""
    of_value = found.goal.endswith(found.unit)
    return f"{number(found.value)} {found.unit}" if of_value else number(found.ratio)
