"""A trap in the program's way while it saves a checkpoint: it is killed there, or its disk is full.

The program loads this before anything else, by a `sitecustomize` in its path, and finds in the variable TRAP
which step of which save is meant (counted from 1), and what happens there: `before`, `after` and `half` kill
it, the name of an error stands for all steps of this kind from there on.
"""

import errno
import os
import signal
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

STEPS = ("open", "write", "fsync", "rename", "directory")
"""Of a save, in their order; the last one is the fsync of the directory."""
KILLS = [(step, when) for step in STEPS for when in ("before", "after")] + [("write", "half")]
_NEW = ".new"


def environment(directory: Path, step: str, when: str, save: int = 1) -> Mapping[str, str]:
    """The variables of a program that is to fall into the trap, which has a directory of its own."""
    directory.mkdir(exist_ok=True)
    (directory / "sitecustomize.py").write_text("from tests.trap import set_up\n\nset_up()\n")
    root = Path(__file__).resolve().parents[1]
    return {"PYTHONPATH": f"{directory}:{root}", "TRAP": f"{step},{when},{save},{directory}"}


def documents(directory: Path) -> list[bytes]:
    """What the program was about to put in the place of its checkpoint, save by save."""
    return [file.read_bytes() for file in sorted(directory.glob("document-*"))]


def calls(directory: Path) -> list[tuple[str, str]]:
    """What the program did to files, in order: `write`, `fsync` or `rename`, and the name of the file."""
    return [(call, name) for call, _, name in map(_parts, (directory / "calls").read_text().splitlines())]


def _parts(line: str) -> tuple[str, str, str]:
    return line.partition(" ")


class Trap:
    """The functions of `os` that a save is made of, each with a step before and after it."""

    def __init__(self, step: str, when: str, save: int, directory: Path) -> None:
        self._step, self._when, self._save = step, when, save
        self._directory = directory
        self._saves = 0
        self._new: int | None = None
        self._real: dict[str, Callable[..., Any]] = {
            name: getattr(os, name) for name in ("open", "write", "fsync", "rename")
        }
        for name in self._real:
            setattr(os, name, getattr(self, name))

    def open(self, path: Any, *more: Any, **named: Any) -> Any:
        if not os.fsdecode(path).endswith(_NEW):
            return self._real["open"](path, *more, **named)
        self._saves += 1
        self._new = self._pass("open", path, *more, **named)
        return self._new

    def _note(self, call: str, name: Any) -> None:
        with (self._directory / "calls").open("a") as file:
            file.write(f"{call} {name}\n")

    def write(self, fd: int, data: Any) -> Any:
        self._note("write", os.readlink(f"/proc/self/fd/{fd}"))
        if fd != self._new:
            return self._real["write"](fd, data)
        if self._is_set("write", "half"):
            self._real["write"](fd, bytes(data)[: len(data) // 2])
            _kill()
        return self._pass("write", fd, data)

    def fsync(self, fd: int) -> Any:
        self._note("fsync", os.readlink(f"/proc/self/fd/{fd}"))
        if fd == self._new:
            return self._pass("fsync", fd)
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            return self._pass("directory", fd)
        return self._real["fsync"](fd)

    def rename(self, source: Any, target: Any) -> Any:
        self._note("rename", source)
        copy = self._directory / f"document-{self._saves:06}"
        copy.write_bytes(Path(source).read_bytes())
        return self._pass("rename", source, target)

    def _pass(self, step: str, *arguments: Any, **named: Any) -> Any:
        if self._is_set(step, "before"):
            _kill()
        name = "fsync" if step == "directory" else step
        if step == self._step and self._saves >= self._save and hasattr(errno, self._when):
            number = getattr(errno, self._when)
            raise OSError(number, os.strerror(number))
        result = self._real[name](*arguments, **named)
        if self._is_set(step, "after"):
            _kill()
        return result

    def _is_set(self, step: str, when: str) -> bool:
        return (step, when, self._saves) == (self._step, self._when, self._save)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def set_up() -> None:
    """Sets the trap in this process."""
    step, when, save, directory = os.environ["TRAP"].split(",", 3)
    Trap(step, when, int(save), Path(directory))
