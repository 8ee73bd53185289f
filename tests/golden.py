"""Golden cases: a folder holds a command, what it reads, and what it must write.

    cmd              VARIABLE=value ... dial-enricher --option ...   (as a shell would read it)
    why              what the case shows
    input.log        standard input, if any
    expected.lp      standard output
    expected.stderr  what the program says; times are TIME
    expected.dead    what it appended to the file `dead`; times are TIME
    expected.exit    the exit code, when it is not 0

What is empty has no file. A file that the command names lies beside it.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
CASES = Path(__file__).parent / "cases"
PROGRAM = "dial-enricher"
TIMEOUT_SECONDS = 60

_STDOUT, _STDERR, _DEAD, _EXIT = "expected.lp", "expected.stderr", "expected.dead", "expected.exit"
_OUTPUTS = frozenset((_STDOUT, _STDERR, _DEAD, _EXIT))
_QUIET = {"DIAL_ENRICHER_LANGUAGE": "off", "DIAL_ENRICHER_TOPICS": "off"}
"""Models load slowly and may learn; only the cases about them ask for them."""
_TIME = re.compile(rb'(?m)(^|"time": ?")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|\+00:00)')


@dataclass(frozen=True)
class Case:
    folder: Path

    @property
    def name(self) -> str:
        return self.folder.relative_to(CASES).as_posix()

    @cached_property
    def _words(self) -> list[str]:
        return shlex.split((self.folder / "cmd").read_text("utf-8"))

    @property
    def variables(self) -> dict[str, str]:
        """What stands before the program's name."""
        assignments = self._words[: self._words.index(PROGRAM)]
        return dict(assignment.split("=", 1) for assignment in assignments)

    @property
    def arguments(self) -> list[str]:
        return self._words[self._words.index(PROGRAM) + 1 :]

    def strangers(self) -> list[str]:
        """Files that no part of the case knows, and files that it lacks."""
        present = {path.name for path in self.folder.iterdir()}
        known = {"cmd", "why", "input.log", *self.arguments}
        return sorted(present - known - _OUTPUTS) + sorted({"cmd", "why"} - present)

    def expected(self) -> dict[str, bytes]:
        """The outputs on file, by file name."""
        return {path.name: path.read_bytes() for path in self.folder.iterdir() if path.name in _OUTPUTS}

    def run(self) -> dict[str, bytes]:
        """The outputs of the program, by the name of the file that expects them."""
        with TemporaryDirectory() as scratch:
            here = Path(scratch, "here")
            shutil.copytree(self.folder, here)
            source = here / "input.log"
            with open(source if source.exists() else os.devnull, "rb") as stdin:
                done = subprocess.run(
                    [sys.executable, "-m", "dial_enricher", *self.arguments],
                    stdin=stdin,
                    capture_output=True,
                    cwd=here,
                    env={"PYTHONPATH": str(ROOT), **_QUIET, **self.variables},
                    timeout=TIMEOUT_SECONDS,
                )
            dead = here / "dead"
            outputs = {
                _STDOUT: done.stdout,
                _STDERR: _timeless(done.stderr),
                _DEAD: _timeless(dead.read_bytes()) if dead.exists() else b"",
                _EXIT: b"%d\n" % done.returncode if done.returncode else b"",
            }
        return {name: output for name, output in outputs.items() if output}

    def rewrite(self) -> list[str]:
        """Makes what the program writes now the expectation; the names of the files that changed."""
        expected, written = self.expected(), self.run()
        changed = sorted(
            name for name in expected.keys() | written.keys() if expected.get(name) != written.get(name)
        )
        for name in changed:
            if name in written:
                (self.folder / name).write_bytes(written[name])
            else:
                (self.folder / name).unlink()
        return changed


def all_cases() -> list[Case]:
    return [Case(cmd.parent) for cmd in sorted(CASES.glob("*/*/cmd"))]


def difference(expected: Mapping[str, bytes], written: Mapping[str, bytes]) -> str:
    """What differs, for people: a line for each column; empty when nothing does."""
    names = sorted(expected.keys() | written.keys())
    return "\n".join(
        line for name in names for line in _differing(name, expected.get(name, b""), written.get(name, b""))
    )


def _differing(name: str, expected: bytes, written: bytes) -> Iterator[str]:
    if expected == written:
        return iter(())
    return unified_diff(_columns(expected), _columns(written), name, f"{name} as written", n=1, lineterm="")


def _columns(output: bytes) -> list[str]:
    """Long lines broken before each column; odd bytes shown as escapes."""
    text = output.decode("utf-8", "backslashreplace")
    return [column for line in text.split("\n") for column in re.split(r"(?<!\\)(?=[, ])", line)]


def _timeless(output: bytes) -> bytes:
    return _TIME.sub(rb"\1TIME", output)
