"""Figures: what was measured, beside its baseline, and what was wanted."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Literal, TypeVar

T = TypeVar("T")
HEAD = "| what | measured | baseline of the same run | ratio | goal |\n|---|---:|---:|---:|---|"


@dataclass(slots=True, frozen=True)
class Goal:
    """A bound for the ratio, or, with a unit, for what was measured."""

    sign: Literal["<=", ">="]
    bound: float
    unit: str = ""

    def met(self, value: float, ratio: float) -> bool:
        """Whether it is reached."""
        number = value if self.unit else ratio
        return number <= self.bound if self.sign == "<=" else number >= self.bound

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g} {self.unit}".strip()


@dataclass(slots=True, frozen=True)
class Figure:
    """A row of the report."""

    name: str
    value: float
    unit: str
    baseline: float
    baseline_name: str
    ratio: float
    goal: str = ""
    met: bool | None = None
    spread: tuple[float, float] | None = None
    """The least and the greatest ratio of a pair, where there are several."""

    def row(self) -> str:
        """Write the figure as a row of a Markdown table."""
        verdict = "" if self.met is None else " (met)" if self.met else " (**missed**)"
        spread = f" ({number(self.spread[0])} to {number(self.spread[1])})" if self.spread else ""
        baseline = f"{number(self.baseline)} {self.unit}, {self.baseline_name}"
        return (
            f"| {self.name} | {number(self.value)} {self.unit} | {baseline} "
            f"| {number(self.ratio)}{spread} | {self.goal}{verdict} |"
        )


def figure(
    name: str,
    unit: str,
    pairs: Sequence[Sequence[float]],
    baseline: str,
    goal: Goal | None = None,
) -> Figure:
    """The medians of what was measured, of its baseline, and of the ratios of the pairs of both."""
    ratios = [value / other for value, other in pairs]
    value, ratio = median(value for value, _ in pairs), median(ratios)
    return Figure(
        name,
        value,
        unit,
        median(other for _, other in pairs),
        baseline,
        ratio,
        str(goal or ""),
        goal.met(value, ratio) if goal else None,
        (min(ratios), max(ratios)) if len(pairs) > 1 else None,
    )


def number(value: float) -> str:
    """A number for people: three digits of it, or all that stand before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def percentile(values: Iterable[float], percent: float) -> float:
    """The least of the values that so many percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(ceil(len(ordered) * percent / 100), 1) - 1]


def in_turn(times: int, *things: Callable[[], T]) -> list[tuple[T, ...]]:
    """Measure things in turn, after a warm-up of each."""
    for thing in things:
        thing()
    return [tuple(thing() for thing in things) for _ in range(times)]
