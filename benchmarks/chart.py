"""The latest run as a picture: where the time of a line goes, and how time grows with the lines."""

from collections.abc import Iterator, Mapping
from html import escape
from math import floor, log10

from benchmarks.figures import number
from benchmarks.history import Report

WIDTH, HEIGHT = 960, 590
INK, PALE, GRID = "#1f2328", "#59636e", "#d8dee4"
COLOURS = {
    "read": "#8c959f",
    "decode": "#0b5394",
    "understand": "#4c9be8",
    "language": "#c2410c",
    "topics": "#f0a33a",
    "points": "#2f855a",
    "accounts": "#b8bfc6",
}
"""By stage; small ones stand with their neighbours."""
TOGETHER = {"price": "points", "render": "points", "write": "points"}
NAMES = {"points": "points, prices, rendering", "accounts": "accounts"}
LEFT, RIGHT = 190, 130
BAR, GAP, TOP = 34, 22, 96
GAP_INSIDE = 1
PLOT_LEFT, PLOT_TOP, PLOT_BOTTOM = 70, 380, 538


def chart(report: Report) -> str:
    """The picture as SVG: the same report gives the same bytes."""
    parts = [
        *_stages(report.stages, report.floor),
        *_growth(report.lines, report.seconds),
        _text(
            WIDTH - 16,
            HEIGHT - 10,
            f"{report.date}, {report.commit}, {report.machine['cpu']}",
            PALE,
            11,
            "end",
        ),
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">'
    )
    background = f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff"/>'
    return "\n".join([head, background, *parts, "</svg>", ""])


def _stages(ways: Mapping[str, Mapping[str, float]], decoding: float) -> Iterator[str]:
    """Bars of CPU time for a line, one for each way to run the program, and one for the floor."""
    yield _text(16, 30, "CPU time of a line, by stage", INK, 16, weight=600)
    yield from _legend()
    bars = {name: _merged(stages) for name, stages in ways.items()}
    longest = max(sum(bar.values()) for bar in bars.values())
    scale = (WIDTH - LEFT - RIGHT) / longest
    y = TOP
    for name, bar in bars.items():
        total, x = sum(bar.values()), float(LEFT)
        yield _text(LEFT - 12, y + BAR / 2 + 5, name, INK, 13, "end")
        for stage, spent in bar.items():
            width = spent * scale
            title = f"<title>{escape(stage)}: {spent:.1f} µs</title>"
            if spent:
                yield _rect(x, y, max(width - GAP_INSIDE, 0.1), BAR, COLOURS[stage], title)
            if width > 46:
                yield _text(x + width / 2, y + BAR / 2 + 5, f"{spent:,.0f} µs", _on(stage), 12, "middle")
            x += width
        yield from _total(x, y, total)
        y += BAR + GAP
    yield _text(LEFT - 12, y + BAR / 2 + 5, "floor: decoding alone", INK, 13, "end")
    yield _rect(LEFT, y, decoding * scale, BAR, "#6e7781")
    yield from _total(LEFT + decoding * scale, y, decoding)


def _total(x: float, y: float, microseconds: float) -> Iterator[str]:
    yield _text(x + 8, y + BAR / 2 - 2, f"{microseconds:,.0f} µs", INK, 13, weight=600)
    yield _text(x + 8, y + BAR / 2 + 13, f"{number(1e6 / microseconds)} lines/s a core", PALE, 11)


def _on(stage: str) -> str:
    """The colour of a text on that of a stage."""
    return INK if stage in ("read", "understand", "topics", "accounts") else "#ffffff"


def _merged(stages: Mapping[str, float]) -> dict[str, float]:
    merged = dict.fromkeys(COLOURS, 0.0)
    for stage, spent in stages.items():
        merged[TOGETHER.get(stage, stage)] += spent
    return merged


def _legend() -> Iterator[str]:
    x = float(LEFT)
    for stage, colour in COLOURS.items():
        name = NAMES.get(stage, stage)
        yield _rect(x, 54, 12, 12, colour)
        yield _text(x + 17, 64.5, name, INK, 12)
        x += 38 + 6.6 * len(name)


def _growth(lines: list[int], seconds: list[float]) -> Iterator[str]:
    """Seconds for so many lines, beside a straight line through the first."""
    yield _text(16, PLOT_TOP - 22, "Time by the clock, everything on, without start", INK, 16, weight=600)
    most, longest = lines[-1], max(seconds[-1], seconds[0] * lines[-1] / lines[0])
    across = (WIDTH - PLOT_LEFT - RIGHT) / most
    up = (PLOT_BOTTOM - PLOT_TOP) / longest
    for count in (0, *lines):
        x = PLOT_LEFT + count * across
        yield _line(x, PLOT_TOP, x, PLOT_BOTTOM, GRID)
        yield _text(x, PLOT_BOTTOM + 18, f"{count:,}", PALE, 12, "middle")
    for tick in ticks(longest):
        y = PLOT_BOTTOM - tick * up
        yield _line(PLOT_LEFT, y, WIDTH - RIGHT, y, GRID)
        yield _text(PLOT_LEFT - 8, y + 4, f"{tick:g} s", PALE, 12, "end")
    straight = seconds[0] / lines[0] * most
    dashes = ' stroke-dasharray="5 5"'
    yield _line(PLOT_LEFT, PLOT_BOTTOM, PLOT_LEFT + most * across, PLOT_BOTTOM - straight * up, PALE, dashes)
    places = [
        (PLOT_LEFT + count * across, PLOT_BOTTOM - spent * up)
        for count, spent in zip(lines, seconds, strict=True)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield f'<polyline points="{path}" fill="none" stroke="{COLOURS["decode"]}" stroke-width="2.5"/>'
    for (x, y), spent in zip(places, seconds, strict=True):
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{COLOURS["decode"]}"/>'
        yield _text(x + 9, y + 15, f"{spent / seconds[0]:.2f} ×", INK, 12, weight=600)
    yield _text(
        (PLOT_LEFT + WIDTH - RIGHT) / 2, PLOT_BOTTOM + 36, "lines; dashed: in proportion", PALE, 12, "middle"
    )


def ticks(most: float) -> list[float]:
    """Round numbers from nothing to at most so much: five steps of them, or a few less."""
    power = 10.0 ** floor(log10(most / 5))
    step = next(step for factor in (1, 2, 5, 10) if most / (step := factor * power) <= 5)
    return [round(count * step, 9) for count in range(int(most / step) + 1)]


def _rect(x: float, y: float, width: float, height: float, colour: str, inside: str = "") -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" fill="{colour}">{inside}</rect>'
    )


def _line(x: float, y: float, to_x: float, to_y: float, colour: str, more: str = "") -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}"{more}/>'


def _text(
    x: float, y: float, text: str, colour: str, size: int, anchor: str = "start", weight: int = 400
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )
