"""Dead letters: the records that could not be used, one JSON object for each."""

import os
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson

from dial_enricher.errors import SinkDown
from dial_enricher.event import Event
from dial_enricher.logs import LOGGER
from dial_enricher.sinks.descriptor import check_open, write_lines


class DeadLetters:
    """Reports each dead event to the log, and writes it to a file when there is one.

    `path` is a file that is appended to, `-` for stderr, or None. A letter holds the text of its record only
    `with_content`. Raises SinkDown when the file cannot be opened or written: nothing is lost quietly.
    """

    def __init__(self, path: str | None, *, with_content: bool = False) -> None:
        self._with_content = with_content
        self._name = path
        self._fd: int | None = None
        if path == "-":
            check_open(2, "standard error")
            self._fd = 2
        elif path is not None:
            try:
                self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise SinkDown(f"cannot open the dead-letter file {path}: {error.strerror}") from None

    def bury(self, events: Sequence[Event]) -> None:
        for event in events:
            _report(event)
        if self._fd is None or not events:
            return
        letters = b"".join(
            orjson.dumps(self._letter(event), option=orjson.OPT_APPEND_NEWLINE) for event in events
        )
        try:
            write_lines(self._fd, letters)
        except OSError as error:
            raise SinkDown(f"cannot write the dead-letter file {self._name}: {error.strerror}") from None

    def _letter(self, event: Event) -> dict[str, Any]:
        fault, line = event.fault, event.line
        assert fault is not None
        letter: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "code": fault.code,
            "stage": fault.stage,
            "detail": fault.detail,
            "source": line.source,
            "line": line.number,
            "length": line.excess.length if line.excess else len(event.raw),
            "sha256": line.excess.sha256 if line.excess else sha256(event.raw).hexdigest(),
        }
        if self._with_content:
            letter |= _content(event.raw)
        return letter


def _content(raw: bytes) -> dict[str, str]:
    try:
        return {"content": raw.decode()}
    except UnicodeDecodeError:
        return {"content_base64": b64encode(raw).decode()}


def _report(event: Event) -> None:
    fault, line = event.fault, event.line
    assert fault is not None
    LOGGER.warning(
        "dead: %s (%s) in %s, line %d: %s",
        fault.code,
        fault.stage,
        line.source,
        line.number,
        fault.detail,
        extra={"code": fault.code},
    )
