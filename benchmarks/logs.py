"""The logs that are measured with: made once for each version of the generator, and kept."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from benchmarks.processes import ROOT
from tests.dialcore.tongue import SOURCES

GENERATOR = ROOT / "tests" / "dialcore"
SAMPLE = ROOT / "tests" / "data" / "sample.log"
SEED = 1
WARM_UP = 250
"""Lines that load what is needed, the models of languages one by one: they count as the start."""


@dataclass(slots=True, frozen=True)
class Size:
    """How much is measured."""

    lines: int
    """Of the production log, those for the start included."""
    rounds: int
    """With everything on, which is slow."""
    pairs: int
    """With language and topic off."""
    sampled: int
    """Lines for the reference, which is slower still."""
    starts: int
    few: int
    """Small lines of the short run for memory; `many` are those of the long one."""
    many: int
    live: int
    """Lines that come one by one."""
    delivered: int
    """Rounds with InfluxDB."""
    small: int
    """Lines of a log of small ones, all different."""

    @property
    def counted(self) -> int:
        """Lines behind those for the start."""
        return self.lines - WARM_UP


FULL = Size(
    lines=25_000 + WARM_UP,
    rounds=4,
    pairs=9,
    sampled=300,
    starts=15,
    few=10_000,
    many=1_000_000,
    live=250,
    delivered=4,
    small=40_000,
)
QUICK = Size(
    lines=2_500 + WARM_UP,
    rounds=3,
    pairs=3,
    sampled=40,
    starts=5,
    few=10_000,
    many=100_000,
    live=40,
    delivered=2,
    small=10_000,
)


def generated_log(shape: str, lines: int) -> Path:
    """A log of so many lines."""
    version = hashlib.sha256()
    for source in sorted([*GENERATOR.glob("*.py"), *GENERATOR.glob("*.json"), *SOURCES]):
        version.update(source.read_bytes())
    cache = Path(tempfile.gettempdir())
    name = f"dial-enricher-bench-{shape}-{SEED}-{lines}-"
    file = cache / f"{name}{version.hexdigest()[:12]}.log"
    if not file.exists():
        for outdated in cache.glob(f"{name}*.log"):
            outdated.unlink()
        part = file.with_suffix(f".{os.getpid()}")
        command = (sys.executable, "-m", "tests.dialcore", "--shape", shape)
        with part.open("wb") as output:
            subprocess.run(
                [*command, "--seed", str(SEED), "--lines", str(lines)], cwd=ROOT, stdout=output, check=True
            )
        part.replace(file)
    return file


def talkative_line() -> bytes:
    """A line of the sample that has a text whose language can be told."""
    for line in SAMPLE.read_bytes().split(b"\n"):
        if line.startswith(b'{"apiType":"DialOpenAI","chat":{"id":"') and b"\\/chat\\/completions" in line:
            log = json.loads(line, strict=False)
            if log["chat"]["id"] and log["response"]["status"] == "200" and "body" in log["request"]:
                return line + b"\n"
    raise SystemExit(f"no chat with an id in {SAMPLE.name}")


def head(file: Path, lines: int) -> Path:
    """The first lines of a log, in a file beside it."""
    short = file.with_suffix(f".{lines}.log")
    if not short.exists():
        part = short.with_suffix(f".{os.getpid()}")
        with file.open("rb") as source, part.open("wb") as output:
            output.writelines(islice(source, lines))
        part.replace(short)
    return short
