"""How the program speaks to its operator: one line for each message, in the form the host expects."""

import json
import logging
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from dial_enricher.errors import SettingError

LOGGER = logging.getLogger("dial_enricher")

REPEAT_SECONDS = 10.0
"""A message with a code is shown once in this time; the next one tells how many were held back."""


class LogFormat(StrEnum):
    TEXT = "text"
    TELEGRAF = "telegraf"
    JSON = "json"


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{_time(record)} {record.levelname} {record.getMessage()}"


class _TelegrafFormatter(logging.Formatter):
    """Telegraf takes the level of a child's line from its first characters, else calls it an error."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname[0].replace('C', 'E')}! {record.getMessage()}"


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        message = {"time": _time(record), "level": record.levelname.lower(), "message": record.getMessage()}
        return json.dumps(message | getattr(record, "figures", {}))


_FORMATTERS: dict[LogFormat, type[logging.Formatter]] = {
    LogFormat.TEXT: _TextFormatter,
    LogFormat.TELEGRAF: _TelegrafFormatter,
    LogFormat.JSON: _JsonFormatter,
}


class Repeats(logging.Filter):
    """Holds back messages whose `code` was shown a moment ago."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: dict[str, float] = {}
        self._held: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        code = getattr(record, "code", None)
        if code is None:
            return True
        if record.created - self._shown.get(code, float("-inf")) < REPEAT_SECONDS:
            self._held[code] = self._held.get(code, 0) + 1
            return False
        self._shown[code] = record.created
        held = self._held.pop(code, 0)
        if held:
            record.msg = f"{record.getMessage()} ({held} more since)"
            record.args = ()
        return True


def set_up(level: str, form: LogFormat, file: Path | None) -> None:
    """Sends the log to a file, or to stderr. Raises SettingError for a file that cannot be opened."""
    try:
        handler = logging.FileHandler(file, encoding="utf-8") if file else logging.StreamHandler()
    except OSError as error:
        raise SettingError(f"cannot open the log file {file}: {error.strerror}") from None
    handler.setFormatter(_FORMATTERS[form]())
    handler.addFilter(Repeats())
    LOGGER.handlers = [handler]
    LOGGER.setLevel(level.upper())
    LOGGER.propagate = False
    logging.getLogger().handlers = [logging.NullHandler()]  # hosts take what a library says for ours
    logging.raiseExceptions = False  # a log that cannot be written must not stop the stream


def say(message: str, figures: dict[str, int], form: LogFormat) -> None:
    """Writes one line to stderr, in the form of the log but whatever its level and file."""
    record = logging.LogRecord(LOGGER.name, logging.INFO, "", 0, message, (), None)
    record.figures = figures
    handler = logging.StreamHandler()
    handler.setFormatter(_FORMATTERS[form]())
    handler.emit(record)


def _time(record: logging.LogRecord) -> str:
    return iso(datetime.fromtimestamp(record.created, UTC))


def iso(moment: datetime) -> str:
    """A moment of UTC as ISO 8601, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
