"""The README's live parts: console blocks, tables of the measurements and of the benchmark: `make docs`."""

import os
import re
import subprocess
import sys
from pathlib import Path

from dial_enricher.schema_text import markdown

ROOT = Path(__file__).parent.parent
PATH = ROOT / "README.md"
RESULTS = ROOT / "benchmarks" / "results" / "latest.md"
_CONSOLE = re.compile(r"(?<=^```console\n)(.*?)(?=^```)", re.DOTALL | re.MULTILINE)
_BENCH = re.compile(r"(?<=<!-- bench -->\n)(.*?)(?=\n<!-- end of bench -->)", re.DOTALL)
_SCHEMA = re.compile(r"(?<=<!-- schema -->\n)(.*?)(?=\n<!-- end of schema -->)", re.DOTALL)


def blocks(language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PATH.read_text(), re.DOTALL | re.MULTILINE)


def run(command: str) -> str:
    """What a shell command prints, with the program of this environment on the PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "LC_ALL": "C.UTF-8"}
    script = ["bash", "-c", command]
    done = subprocess.run(script, cwd=ROOT, env=environment, stdout=subprocess.PIPE, timeout=60)
    return done.stdout.decode()


def rewritten(text: str) -> str:
    """The README as it should be: each console command with what it prints, the schema as it is."""
    text = _CONSOLE.sub(lambda block: _session(block[1]), text)
    text = _BENCH.sub(lambda _: _measured(), text)
    return _SCHEMA.sub(lambda _: markdown(), text)


def _measured() -> str:
    """The table of the last run of the benchmark, and where it ran."""
    place, table = RESULTS.read_text().split("\n\n")[1:3]
    return f"{place}\n\n{table}"


def _session(block: str) -> str:
    commands = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"$ {command}\n{run(command)}" for command in commands)


if __name__ == "__main__":
    PATH.write_text(rewritten(PATH.read_text()))
