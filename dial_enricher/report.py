"""What the operator is told when the stream has ended: on stderr, and in a file for programs."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dial_enricher import logs, summary_file
from dial_enricher.errors import SinkDown
from dial_enricher.progress import Progress
from dial_enricher.settings import Settings, Summary
from dial_enricher.stats import Stats


@dataclass(slots=True)
class Run:
    """What the summary tells beside the accounts; made when the program begins."""

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    progress: Progress = field(default_factory=lambda: Progress(None))
    files_done: int | None = None
    """None where nobody counts files."""
    files_skipped: int | None = None
    """They were done before."""
    stopped: str | None = None
    """Why it has ended early, in one sentence."""
    failures: list[str] = field(default_factory=list)
    """A sentence for each file that was not read to its end."""
    _begun: float = field(default_factory=time.monotonic)

    def figures(self, stats: Stats) -> dict[str, Any]:
        """Those that differ each time."""
        seconds = time.monotonic() - self._begun
        return {"seconds": round(seconds, 3), "lines_per_second": round(stats.lines / (seconds or 1.0), 1)}

    def files(self) -> dict[str, int]:
        known = {"files_done": self.files_done, "files_skipped": self.files_skipped}
        return {name: count for name, count in known.items() if count is not None}


def report(stats: Stats, settings: Settings, run: Run) -> None:
    """Sends the counts to the log, and the closing line to stderr when it is wanted.

    On a terminal a few lines more follow it. Programs get these from the summary file: so the line stays
    one, and the same for the same log.
    """
    if stats.dead:
        logs.LOGGER.warning("dead letters: %s", listed(stats.dead))
    if stats.ignored:
        logs.LOGGER.info("ignored on purpose: %s", listed(stats.ignored))
    if stats.notes:
        logs.LOGGER.info("mended or unknown: %s", listed(stats.notes))
    on_terminal = sys.stderr is not None and sys.stderr.isatty()
    in_trouble = bool(stats.dead or stats.again)
    if settings.summary is Summary.ALWAYS or (
        settings.summary is Summary.AUTO and (in_trouble or on_terminal)
    ):
        figures = stats.summary() | run.files()
        remarks = [f"({remark})" for remark in stats.remarks]
        message = " ".join([f"{name}={figure}" for name, figure in figures.items()] + remarks)
        if on_terminal and settings.log_format is logs.LogFormat.TEXT:
            message += _details(stats, run)
        logs.say(message, figures, settings.log_format)


def _details(stats: Stats, run: Run) -> str:
    figures = run.figures(stats)
    parts = {
        "points": listed(stats.points),
        "ignored": listed(stats.ignored),
        "dead": listed(stats.dead),
        "undefined": listed(stats.undefined),
        "time": f"{figures['seconds']:,.1f} s, {figures['lines_per_second']:,.0f} lines/s",
    }
    return "".join(f"\n  {name:<9}  {text}" for name, text in parts.items() if text)


def check_summary(settings: Settings) -> None:
    """Raises SettingError when the summary file could not be written."""
    if settings.summary_file is not None:
        summary_file.check(settings.summary_file)


def save_summary(stats: Stats, settings: Settings, run: Run, version: str, code: int) -> int:
    """Writes the summary file, if there is to be one; the exit code, 1 when only that went wrong."""
    if settings.summary_file is None:
        return code
    try:
        summary_file.write(settings.summary_file, _document(stats, run, version, code))
    except SinkDown as error:
        logs.LOGGER.error("%s", error)
        return code or 1
    return code


def _document(stats: Stats, run: Run, version: str, code: int) -> dict[str, Any]:
    """All figures. The inner objects hold what occurred; `undefined` has a 0 for an enricher at work."""
    return {
        "version": version,
        "started": logs.iso(run.started),
        "ended": logs.iso(datetime.now(UTC)),
        **run.figures(stats),
        "exit_code": code,
        "stopped": run.stopped,
        "lines": stats.lines,
        "records": stats.records,
        "points": stats.points.total(),
        "points_by_measurement": _sorted(stats.points),
        "ignored": stats.ignored.total(),
        "ignored_by_shape": _sorted(stats.ignored),
        "dead": stats.dead.total(),
        "dead_by_code": _sorted(stats.dead),
        "again": stats.again,
        "undefined": _sorted(stats.undefined),
        "notes": _sorted(stats.notes),
        "remarks": stats.remarks,
        **run.files(),
        "failures": run.failures,
    }


def _sorted(counts: Mapping[Any, int]) -> dict[str, int]:
    return {str(name): count for name, count in sorted(counts.items())}


def listed(counts: Mapping[Any, int]) -> str:
    """`invalid_json 2, undelivered 1`."""
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
