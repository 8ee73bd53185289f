"""The summary as a JSON file: whole or not at all, so that who waits for it never reads half of it."""

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dial_enricher.errors import SettingError, SinkDown
from dial_enricher.sinks.descriptor import sync, write_all


def check(file: Path) -> None:
    """Raises SettingError for a file that could not be written: a run of hours must know it at once."""
    directory = os.path.dirname(os.path.realpath(file))
    if not os.path.isdir(directory):
        raise SettingError(f"cannot write the summary file {file}: there is no directory {directory}")
    if not (os.access(file, os.W_OK) if _is_special(file) else os.access(directory, os.W_OK | os.X_OK)):
        raise SettingError(f"cannot write the summary file {file}: permission denied")


def write(file: Path, document: Mapping[str, Any]) -> None:
    """Replaces what the file holds; when that fails it holds what it held. Raises SinkDown."""
    data = json.dumps(document, indent=2).encode() + b"\n"
    try:
        if _is_special(file):
            _write_to(os.open(file, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC), data)
        else:
            _replace(os.path.realpath(file), data)
    except OSError as error:
        raise SinkDown.by(error, f"cannot write the summary file {file}") from None


def _is_special(file: Path) -> bool:
    """Whether it is a device or a pipe, which no file may replace."""
    try:
        return not stat.S_ISREG(os.stat(file).st_mode)
    except FileNotFoundError:
        return False


def _replace(path: str, data: bytes) -> None:
    new = f"{path}.new"
    with suppress(FileNotFoundError):  # a run that was killed may have left one
        os.unlink(new)
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        _write_to(fd, data)
        os.replace(new, path)
    except OSError:
        with suppress(OSError):  # room on a full disk is all that it is about
            os.unlink(new)
        raise


def _write_to(fd: int, data: bytes) -> None:
    try:
        write_all(fd, data)
        sync(fd)
    finally:
        os.close(fd)
