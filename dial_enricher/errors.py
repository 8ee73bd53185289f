"""What can go wrong with one record, and with the program as a whole."""

import errno
from enum import StrEnum
from pathlib import Path
from traceback import extract_tb


class Code(StrEnum):
    """Why a record is dead. The set is closed: dashboards and scripts may match on these words."""

    INVALID_UTF8 = "invalid_utf8"
    INVALID_JSON = "invalid_json"
    LINE_TOO_LONG = "line_too_long"
    NOT_A_DIAL_LOG = "not_a_dial_log"
    MISSING_FIELD = "missing_field"
    DAMAGED_ARCHIVE = "damaged_archive"
    UNSERIALIZABLE = "unserializable"
    REJECTED = "rejected"
    UNDELIVERED = "undelivered"
    INTERNAL = "internal"


class BadRecord(Exception):
    """One record cannot be used; the stage that raises it loses this record and no other.

    `detail` says what is wrong in one clause and never holds text from the record.
    """

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class SettingError(Exception):
    """A setting is wrong; the message names it and says what is expected."""


class InputFailed(Exception):
    """An input cannot be read; the message names it and says why."""


class SinkClosed(Exception):
    """The reader of our output went away; there is nobody left to write for."""


class SinkDown(Exception):
    """The output cannot take what we wrote; the message says why in one sentence.

    `misconfigured` when waiting would not help: a setting names what is not there, or not ours.
    """

    def __init__(self, message: str, *, misconfigured: bool = False) -> None:
        super().__init__(message)
        self.misconfigured = misconfigured

    @classmethod
    def by(cls, error: OSError, what: str) -> "SinkDown":
        """What cannot be done, and the system's reason."""
        return cls(f"{what}: {error.strerror}", misconfigured=error.errno in _LASTING)


_LASTING = {
    errno.ENOENT,
    errno.EEXIST,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EACCES,
    errno.EPERM,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.EBADF,
    errno.ENXIO,
}


def where(error: BaseException) -> str:
    """Type and place of an exception. Not its message, which may quote the text it stumbled over."""
    frames = extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    return f"{type(error).__name__} at {Path(frames[-1].filename).name}:{frames[-1].lineno}"
