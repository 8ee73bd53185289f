"""What the tests of `--output DIRECTORY` share: a small archive of logs, and what has to come of it."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from tests.killing import wait_until
from tests.support import GOOD_LINES, PLAIN, Done, finish, start, through

BAD = b"no json\n"
QUIET = ("--summary", "never", "--log-level", "error")


def logs(directory: Path, number: int = 5) -> dict[str, bytes]:
    """Files of lines that differ, in directories of two days; what they hold, by name."""
    written = {}
    for place in range(number):
        name = f"2026-03-0{place % 2 + 1}/aidial.{place}.log"
        written[name] = b"".join(GOOD_LINES[place::number] * (place + 1))
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(written[name])
    return written


def points_of(data: bytes) -> bytes:
    return through(data).out


class Box:
    """A directory with logs in `logs`; the program runs there and writes to `out`."""

    def __init__(self, directory: Path, number: int = 5) -> None:
        self.directory = directory
        self.logs = directory / "logs"
        self.out = directory / "out"
        self.data = logs(self.logs, number)

    def start(self, *arguments: str | Path, env: Mapping[str, str] | None = None, **streams: Any) -> Any:
        command = ("enrich", *PLAIN, "--recursive", "logs", "--output", "out/", *arguments)
        return start(*command, env=env, cwd=self.directory, **streams)

    def run(self, *arguments: str | Path, **more: Any) -> Done:
        return finish(self.start(*arguments, **more))

    def output(self, name: str) -> Path:
        return self.out / f"{name}.lp.gz"

    def marker(self, name: str) -> Any:
        return json.loads((self.out / f"{name}.lp.gz.done").read_bytes())

    def whole(self) -> dict[str, bytes]:
        """The points that have to be in the outputs, by their names below the directory."""
        return {f"{name}.lp.gz": points_of(data) for name, data in self.data.items()}

    def unpacked(self) -> dict[str, bytes]:
        """The points that are in the outputs."""
        return {name: gzip.decompress(data) for name, data in self.files().items() if name.endswith(".gz")}

    def files(self) -> dict[str, bytes]:
        """All files that were written, by their names below the directory."""
        return {
            str(path.relative_to(self.out)): path.read_bytes()
            for path in sorted(self.out.rglob("*"))
            if path.is_file()
        }

    def names(self) -> set[str]:
        return set(self.files())

    def expected_names(self, *logs: str) -> set[str]:
        """Those of outputs and markers, of all logs or of some."""
        return {f"{name}.lp.gz{more}" for name in logs or self.data for more in ("", ".done")}

    def times(self) -> dict[str, tuple[int, int]]:
        """Inode and time of change of each file: they change when it is written again."""
        found = ((name, os.stat(self.out / name)) for name in self.names())
        return {name: (status.st_ino, status.st_mtime_ns) for name, status in found}

    def unpacked_done(self) -> dict[str, bytes]:
        """The points in the outputs that have markers."""
        names = self.names()
        done = {name.removesuffix(".done") for name in names if name.endswith(".done")}
        return {name: gzip.decompress((self.out / name).read_bytes()) for name in done}


# Kills


def children(process: subprocess.Popen[bytes]) -> list[int]:
    """The children that a process has now."""
    try:
        return list(map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()))
    except FileNotFoundError:
        return []


def hunt(directory: Path, kills: int, seed: int) -> Counter[str]:
    """Kills the program or a child of it so many times, and looks at what is there after each time."""
    random, tally = Random(seed), Counter[str]()
    box = Box(directory, 16)
    for name in random.sample(sorted(box.data), 5):
        (box.logs / name).write_bytes(box.data[name] + BAD)
    options = ("--dead-letter", "out", "--batch-lines", "4", *QUIET)
    assert box.run(*options) == (0, b"", "")
    undisturbed = box.files()
    while tally["parent"] + tally["child"] < kills:
        shutil.rmtree(box.out)
        while _is_hit(box, random, options, tally) and tally["parent"] + tally["child"] < kills:
            _check_done(box)
        assert box.run(*options) == (0, b"", "")
        assert _timeless(box.files()) == _timeless(undisturbed)
        assert box.unpacked() == box.whole()
    return tally


def _is_hit(box: Box, random: Random, options: tuple[str, ...], tally: Counter[str]) -> bool:
    """Kills at a random moment; false when all was done before."""
    process = box.start("--jobs", str(random.randint(1, 3)), *options)
    wait_until(_moment(box, random), process)
    pids, victim = children(process), "parent"
    if pids and random.random() < 0.4:
        victim = "child"
        with suppress(ProcessLookupError):
            os.kill(random.choice(pids), signal.SIGKILL)
    else:
        process.kill()
    done = finish(process)
    assert done.code in (0, 1 if victim == "child" else -9), done
    assert done.err.count("SIGKILL") == done.err.count("\n") == (done.code == 1), done
    if done.code != 0:
        tally[victim] += 1
        names = box.names() if box.out.exists() else set()
        tally["part way"] += 0 < sum(name.endswith(".done") for name in names) < len(box.data)
        tally["left parts"] += any(name.endswith(".part") for name in names)
    return done.code != 0


def _moment(box: Box, random: Random) -> Callable[[], bool]:
    """After some time, or when some more files are there; parts of files count."""
    if random.random() < 0.2:
        until = time.monotonic() + random.uniform(0, 0.5)
        return lambda: time.monotonic() > until
    there = _count(box.out) + random.randint(1, 12)
    later = random.choice((0, random.uniform(0, 0.01)))

    def come() -> bool:
        if _count(box.out) < there:
            return False
        time.sleep(later)
        return True

    return come


def _count(directory: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(directory))


def _check_done(box: Box) -> None:
    """What has a marker is whole."""
    if box.out.exists():
        assert box.unpacked_done().items() <= box.whole().items()


def _timeless(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files, but of letters, which tell when somebody died, only how many there are."""
    return {
        name: b"%d" % data.count(b"\n") if name.endswith(".dead.ndjson") else data
        for name, data in files.items()
    }
