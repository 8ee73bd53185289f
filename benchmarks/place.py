"""Where something was measured, and of what."""

import importlib.metadata
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.processes import ROOT

LIBRARIES = ("lingua-language-detector", "orjson", "numpy", "tokenizers")


def machine() -> dict[str, str]:
    """The machine and the interpreter."""
    rows = _rows("/proc/cpuinfo")
    models = [row.partition(":")[2].strip() for row in rows if row.startswith("model name")]
    memory = next((int(row.split()[1]) * 1024 for row in _rows("/proc/meminfo") if "MemTotal" in row), 0)
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def libraries() -> dict[str, str]:
    """What the speed depends on."""
    return {name: importlib.metadata.version(name) for name in LIBRARIES}


def revision() -> str:
    """The commit; with a plus behind it when the files are not those of the commit."""
    try:
        commit = _git("rev-parse", "--short=8", "HEAD")
        results = ":(exclude)benchmarks/results"
        return commit + ("+" if _git("status", "--porcelain", "--", ".", results) else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"  # an archive of the sources, without git


def now() -> str:
    """The date and the minute, UTC."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M}"


def _git(*words: str) -> str:
    command = ("git", *words)
    return subprocess.run(
        command, cwd=ROOT, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ).stdout.strip()


def _rows(file: str) -> list[str]:
    """The rows of a file that Linux has."""
    return Path(file).read_text().splitlines() if Path(file).exists() else []
