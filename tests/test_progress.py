"""How far the run is: on a terminal, and where there is none."""

import errno
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from dial_enricher import logs
from dial_enricher.event import Line
from dial_enricher.inputs.sources import Source
from dial_enricher.progress import LINE_SECONDS, Bar, Lines, Progress, Seen
from dial_enricher.stats import Stats
from tests.support import PATIENCE, PLAIN, SAMPLE, TOTALS, finish, line, log, run, start
from tests.terminal import Terminal, on_terminal

ONE = line(log())
SHOWN = re.compile(
    r" *\d+% \|.{10}\| (\d\d:\d\d|\?) left, [\d.]+[kMG]?B of [\d.]+[kMG]?B, ([\d.]+[kMG]?|\?)B/s, "
    r"([\d,]+|\?) lines/s, [\d,]+ points, [\d,]+ dead(, .*)?"
)
MIB = 1024 * 1024


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Board:
    """A screen that keeps what it is told."""

    seconds = 1.0

    def __init__(self) -> None:
        self.shown: list[tuple[Seen, float]] = []
        self.texts: list[str] = []

    def show(self, seen: Seen, seconds: float) -> None:
        self.shown.append((seen, seconds))
        self.texts.append(seen.text(seconds, "{percentage:.0f} {remaining} {line_rate}", "{n_fmt}"))

    def close(self, seen: Seen, seconds: float) -> None:
        self.texts.append("closed")


# What is shown, and when


def test_several_sources_make_one_progress() -> None:
    clock, board = Clock(), Board()
    progress = Progress(board, 4000, clock)
    progress.begin(Source("/logs/a.log", "a.log", 1000))
    progress.begin(Source("/logs/2026/b.log", "2026/b.log", 3000))
    progress.read(500)
    progress.read(500)
    progress.count(lines=30, points=20, dead=1)
    clock.now += 10
    progress.count(lines=10, points=5, dead=1)
    assert board.texts == ["25 00:30 4, 2026/b.log"]
    ((seen, seconds),) = board.shown
    assert (seen.lines, seen.points, seen.dead, seconds) == (40, 25, 2, 10)
    progress.close()
    assert board.texts[-1] == "closed"


def test_nothing_is_shown_more_often_than_a_screen_wants() -> None:
    clock, board = Clock(), Board()
    progress = Progress(board, None, clock)
    for _ in range(100):
        progress.read(1000)
        clock.now += 0.125
    assert len(board.texts) == 12
    assert board.texts[0] == "9.00k"


def test_a_file_that_grew_is_no_more_than_done() -> None:
    assert Seen(100, read=150).text(1.0, "{percentage:.0f}%", "") == "100%"
    assert Seen(0, read=150).text(1.0, "{percentage:.0f}%", "{n_fmt}") == "150"


def test_batches_are_handed_on_and_counted() -> None:
    stats, board, clock = Stats(), Board(), Clock()
    progress = Progress(board, None, clock)
    batches = [[Line(b"", "a", 1)], [], [Line(b"", "a", 2)]]
    progress.begin(Source("a", "a"))
    for number, batch in enumerate(progress.watch(iter(batches), stats)):
        assert batch is batches[number]
        stats.lines += 10
        stats.points["analytics"] += 2
        clock.now += 2
    seen, _ = board.shown[-1]
    assert (seen.lines, seen.points, len(board.shown)) == (30, 6, 3)


def test_without_a_screen_nothing_is_looked_at() -> None:
    progress = Progress(None)
    progress.begin(Source("a", "a"))
    progress.read(5)
    assert list(progress.watch(iter([[], []]), Stats())) == [[], []]
    progress.close()


@pytest.mark.parametrize("columns", [1, 5, 20, 40, 100, 300])
def test_a_bar_fits_its_terminal(columns: int) -> None:
    name = "".join(["本", "é", "\u202e"] * 40)
    seen = Seen(10**12, 10**11, lines=12_345_678, points=12_345_678, dead=1234, file=name)
    text = seen.text(86400.0, "{percentage:3.0f}% |{bar:10}| {remaining} {points}", "", columns)
    assert 0 < len(text.encode("utf-16-le")) // 2 <= columns
    wide = sum(1 + (char == "本") for char in text)
    assert wide <= columns


# On a terminal


@contextmanager
def bar(columns: int = 100) -> Iterator[tuple[Progress, Terminal, Clock]]:
    terminal, clock = Terminal(columns), Clock()
    yield Progress(Bar(terminal.slave), 100 * MIB, clock), terminal, clock
    os.close(terminal.master)
    os.close(terminal.slave)


def test_the_bar_is_written_over_itself_and_leaves_nothing() -> None:
    with bar() as (progress, terminal, clock):
        progress.begin(Source("/logs/a.log", "a.log"))
        for _ in range(4):
            clock.now += 1.0
            progress.read(25 * MIB)
            terminal.look()
        progress.close()
        terminal.look()
    shown = [text for text in terminal.seen if "%" in text]
    assert all(SHOWN.fullmatch(text) for text in shown), shown
    assert [text.partition("%")[0].strip() for text in dict.fromkeys(shown)] == ["25", "50", "75", "100"]
    assert shown[-1].endswith("a.log")
    assert terminal.lines == [""]


def test_a_narrow_terminal_and_one_that_changes_are_never_overrun() -> None:
    with bar(columns=20) as (progress, terminal, clock):
        progress.begin(Source("x", "a-long-name-of-a-file-in-a-directory.log"))
        for columns in (20, 120, 60, 7, 200):
            terminal.resize(columns)
            clock.now += 1.0
            progress.read(MIB)
            terminal.look()
            assert 0 < len(terminal.lines[-1]) < columns
        assert len(terminal.lines) == 1


def test_what_the_log_says_stands_above_the_bar(capfd: pytest.CaptureFixture[str]) -> None:
    terminal, clock = Terminal(80), Clock()
    screen = os.fdopen(os.dup(terminal.slave), "w")
    handler = logging.StreamHandler(screen)
    usual, logs.LOGGER.handlers = logs.LOGGER.handlers, [handler]
    try:
        progress = Progress(Bar(terminal.slave), None, clock)
        progress.begin(Source("a", "a"))
        logs.LOGGER.error("before anything is shown")
        clock.now += 1
        progress.read(5000)
        logs.LOGGER.error("in the middle")
        terminal.look(1)
        while "in the middle" not in terminal.lines or not terminal.lines[-1]:
            terminal.look(1)
        assert terminal.lines[:2] == ["before anything is shown", "in the middle"]
        assert terminal.lines[2].startswith("5.00kB, 00:01, 5.00kB/s, 0 lines/s, 0 points, 0 dead, a")
        progress.close()
        logs.LOGGER.error("afterwards")
        while terminal.lines[-1:] != [""] or "afterwards" not in terminal.lines:
            terminal.look(1)
        assert terminal.lines == ["before anything is shown", "in the middle", "afterwards", ""]
        assert handler.stream is screen
    finally:
        logs.LOGGER.handlers = usual
        screen.close()
        os.close(terminal.master)
        os.close(terminal.slave)


def test_a_terminal_that_goes_away_ends_nothing() -> None:
    with bar() as (progress, terminal, clock):
        os.close(terminal.master)
        terminal.master = os.open(os.devnull, os.O_RDONLY)
        with pytest.raises(OSError) as gone:
            os.write(terminal.slave, b"?")
        assert gone.value.errno == errno.EIO
        for _ in range(3):
            clock.now += 1
            progress.read(MIB)
        progress.close()


# The program


def archive(directory: Path, copies: int, names: Sequence[str]) -> list[Path]:
    files = [directory / name for name in names]
    for file in files:
        file.write_bytes(SAMPLE.read_bytes() * copies)
    return files


def test_a_person_sees_how_far_the_run_is(tmp_path: Path) -> None:
    """Slowed down by its reader, so that there is something to see on any machine."""
    files = archive(tmp_path, 20, ["a.log", "b\x1b[31m.log", "c.log"])
    total = sum(file.stat().st_size for file in files)
    with on_terminal(*PLAIN, *files) as (process, terminal):
        assert process.stdout is not None
        out = b""
        while piece := os.read(process.stdout.fileno(), 1 << 16):
            out += piece
            terminal.glance()
            if sum("%" in text for text in terminal.seen) < 3:
                time.sleep(0.1)
        terminal.look_to_the_end()
        assert process.wait(PATIENCE) == 0
    assert len(out.splitlines()) == 60 * sum(TOTALS["points"].values())
    shown = list(dict.fromkeys(text for text in terminal.seen if "%" in text))
    assert all(SHOWN.fullmatch(text) for text in shown), shown
    percents = [int(text.partition("%")[0]) for text in shown]
    assert percents == sorted(percents)
    assert percents[0] < 100
    assert f" of {total / 10**6:.1f}MB, " in shown[0]
    assert shown[0].endswith(("a.log", "b\ufffd[31m.log", "c.log"))
    log_lines = [text for text in terminal.lines if re.match(r"\d{4}-", text)]
    assert len([text for text in log_lines if "dead" in text]) >= 2
    assert not any("%" in text for text in terminal.lines), "the bar has gone"
    assert f"lines={60 * TOTALS['lines']} " in log_lines[-1]


@pytest.mark.parametrize("options", [["--progress", "never"], [], ["--progress", "auto"]])
def test_nothing_is_shown_where_nobody_watches(options: list[str], tmp_path: Path) -> None:
    (file,) = archive(tmp_path, 1, ["a.log"])
    quiet = ("--summary", "never", "--log-level", "error")
    assert run(*PLAIN, *quiet, *options, file).err == ""


def quiet_terminal(*arguments: str | Path, stdin: bytes = b"", stdout: int = subprocess.PIPE) -> str:
    """What a terminal has seen of a run that says nothing else."""
    quiet = ("--summary", "never", "--log-level", "error")
    with on_terminal(*PLAIN, *quiet, *arguments, stdout=stdout) as (process, terminal):
        process.communicate(stdin, timeout=PATIENCE)
        terminal.look_to_the_end()
        assert process.returncode == 0
    return "".join(terminal.seen)


def test_a_terminal_shows_no_bar_beside_what_else_is_written_there(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_bytes(ONE + b"?\n")
    assert quiet_terminal("--progress", "never", file) == ""
    assert quiet_terminal(stdin=ONE) == "", "a pipe has no end that is known"
    points = Terminal(100)  # nobody reads them, and they are few
    assert quiet_terminal(file, stdout=points.slave) == "", "points are shown there"
    lines = quiet_terminal("--progress", "always", file, stdout=points.slave)
    assert re.search(r"INFO progress: 100% of \S+B, ", lines)
    letters = quiet_terminal("--dead-letter", "-", file)
    assert "%" not in letters and '"sha256"' in letters
    for fd in (points.master, points.slave):
        os.close(fd)


def test_always_is_plain_lines_where_there_is_no_terminal(tmp_path: Path) -> None:
    (file,) = archive(tmp_path, 1, ["a\nb\x1b.log"])
    done = run(*PLAIN, "--progress", "always", "--summary", "never", "--log-level", "error", file)
    assert done.code == 0
    assert re.fullmatch(
        r"\S+Z INFO progress: 100% of \d+kB, 00:00 left, [\d.]+[kM]?B/s, [\d,]+ lines/s, "
        r"209 points, 2 dead, a\ufffdb\ufffd\.log\n",
        done.err,
    )


def test_always_tells_of_a_pipe_what_is_known() -> None:
    quiet = ("--progress", "always", "--summary", "never")
    done = run(*PLAIN, *quiet, "--log-format", "json", stdin=ONE * 3)
    message = json.loads(done.err)
    assert (message["read"], message["lines"], message["points"], message["dead"]) == (3 * len(ONE), 3, 3, 0)
    assert message["level"] == "info"
    assert re.fullmatch(
        r"progress: [\d.]+kB, 00:00, \S+B/s, \S+ lines/s, 3 points, 0 dead, stdin", message["message"]
    )
    assert "total" not in message


def test_a_line_is_told_every_few_seconds(capfd: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    progress = Progress(Lines(logs.LogFormat.TELEGRAF), 1000, clock)
    for _ in range(10):
        progress.read(100)
        clock.now += LINE_SECONDS / 2
    told = [one.partition(",")[0] for one in capfd.readouterr().err.splitlines()]
    assert told == [f"I! progress: {percent}% of 1.00kB" for percent in (30, 50, 70, 90)]


def test_what_an_earlier_run_did_is_done_but_tells_nothing_of_speed(tmp_path: Path) -> None:
    file, state = tmp_path / "a.log", tmp_path / "state"
    call = (*PLAIN, "--checkpoint", state, "--summary", "never", "--progress", "always", file)
    file.write_bytes(ONE * 1000)
    first = run(*call)
    file.write_bytes(ONE * 1001)
    second = run(*call)
    assert " 1,000 points," in first.err and " 1 points," in second.err
    assert [re.findall(r"(\d+)% of ", done.err) for done in (first, second)] == [["100"], ["100"]]
    seen = Seen(1000, read=910, done_before=900)
    assert seen.text(10.0, "{percentage:.0f}% {rate_fmt} {remaining}", "") == "91% 1.00B/s 01:30"


def test_a_bar_ends_with_the_run_however_that_ends(tmp_path: Path) -> None:
    files = archive(tmp_path, 30, ["a.log"])
    with on_terminal(*PLAIN, "--log-level", "error", *files) as (process, terminal):
        assert process.stdout is not None
        os.read(process.stdout.fileno(), 1 << 16)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
        terminal.look_to_the_end()
        assert process.returncode == 143
    assert not any("%" in text for text in terminal.lines)
    with on_terminal(*PLAIN, "--log-level", "error", "--output", "/dev/full", *files) as (process, terminal):
        process.wait(PATIENCE)
        terminal.look_to_the_end()
        assert process.returncode == 1
    assert not any("%" in text for text in terminal.lines)
    assert any("No space left on device" in text for text in terminal.lines)


def test_progress_needs_no_standard_error(tmp_path: Path) -> None:
    (file,) = archive(tmp_path, 2, ["a.log"])
    command = f"{' '.join(PLAIN)} --progress always {file} 2>&-"
    process = start("-c", f'exec "$0" -m dial_enricher {command}', sys.executable, program=["sh"])
    done = finish(process)
    assert (done.code, len(done.lines)) == (0, 2 * sum(TOTALS["points"].values()))
