"""The server: whether it can be reached, and whether it would take what a run writes."""

import re
import time
from collections.abc import Callable

from dial_enricher.doctor.finding import Level, Said
from dial_enricher.sinks.influx.delivery import Writer
from dial_enricher.sinks.influx.fates import DISTRUSTED, NO_ANSWER, Answer, Fate, fate, words
from dial_enricher.sinks.influx.target import (
    BUCKET,
    DATABASE,
    ORG,
    PASSWORD,
    TOKEN,
    URL,
    USERNAME,
    Target,
    Version,
)

MEASUREMENT = "dial_enricher_doctor"
_NO_POINTS = re.compile(r"(?i)\b(points?|lines?|empty)\b")
"""In the answer to an empty write: all is well but for that."""
_NO_PAGE = re.compile(r"(?i)page not found")
"""In the answer to a write that no InfluxDB of this version would give."""


class Talk:
    """A talk with a server, or with none: what it said first decides what it is asked next."""

    def __init__(self, target: Target | None) -> None:
        self._target = target
        self._writer: Writer | None = None
        """None until the server has been reached."""
        self._interface = Version.TWO
        self.date = ""
        """The time on the server, as it said it; empty when it did not."""

    def reach(self) -> Said:
        """Whether the server answers, and which version it is. Raises SettingError."""
        if self._target is None:
            return
        from dial_enricher.sinks.influx.server import Server, told_version  # slow to load

        target, server = self._target, Server(self._target)
        begin = time.monotonic()
        version, answer = server.version()
        milliseconds = (time.monotonic() - begin) * 1000
        self._interface = target.version or version or target.guess
        self.date = answer.headers.get("date", "")
        if fate(answer) is Fate.AWAY or answer.status == DISTRUSTED:
            yield Level.FAIL, self._refusal(f"{target.url}: ", answer)
            return
        self._writer = server
        told = told_version(answer)
        by = " (--influx-version)" if target.version else ""
        spoken = f"spoken to as version {self._interface}{by}"
        if told:
            yield Level.OK, f"{target.url}: InfluxDB {told}, {spoken}, {milliseconds:.0f} ms"
        else:
            advice = "" if target.version else "; if that is wrong name it with --influx-version"
            yield Level.WARN, f"{target.url}: does not tell its version, {spoken}{advice}"

    def access(self) -> Said:
        """Whether a write would be taken; writes nothing. Raises SettingError."""
        if self._target is None or self._writer is None:
            return
        answer = self._writer.write(b"")
        if answer.status == 204 or (answer.status == 400 and _NO_POINTS.search(words(answer))):
            yield Level.OK, f"may write to {_place(self._target, self._interface)}"
        else:
            yield Level.FAIL, self._refusal("the server says: ", answer)

    def write(self) -> Said:
        """Writes one point. Raises SettingError."""
        if self._target is None or self._writer is None:
            return
        answer = self._writer.write(b"%s ok=true %d\n" % (MEASUREMENT.encode(), time.time_ns()))
        if fate(answer) is Fate.STORED:
            place = _place(self._target, self._interface)
            yield Level.OK, f"one point of {MEASUREMENT} was written to {place}, and stays there"
        else:
            yield Level.FAIL, self._refusal("the server says: ", answer)

    def _refusal(self, begin: str, answer: Answer) -> str:
        """What the server said, and what to do."""
        assert self._target is not None
        return f"{begin}{words(answer)}; {_advice(answer, self._target, self._interface)}"


def _place(target: Target, interface: Version) -> str:
    if interface is Version.TWO:
        return f"bucket {target.bucket} of {target.org}"
    return f"database {target.database or target.bucket}"


# What to do


def _advice(answer: Answer, target: Target, interface: Version) -> str:
    if answer.status in (NO_ANSWER, DISTRUSTED):
        return next((advice for part, advice in _NO_CONNECTION.items() if part in answer.trouble), _START)
    if answer.status in _REFUSALS:
        return _REFUSALS[answer.status](answer, target, interface)
    if fate(answer) is Fate.MISCONFIGURED:
        return f"correct {URL}: it leads to something else than InfluxDB"
    return "look at the server's log, and try again"


_START = f"start it, or correct {URL}"
_NO_CONNECTION = {
    "certificate": "name the authority that signed it with --influx-ca",
    "in time": "see what holds it up, or raise --influx-timeout",
    "name": f"correct {URL}",
    "proxy": "correct http_proxy, https_proxy or no_proxy",
}
"""By a part of what is said of a connection that failed."""


def _unknown(answer: Answer, target: Target, interface: Version) -> str:
    if interface is Version.ONE:
        return f"set {USERNAME} and {PASSWORD} to those of a user who may write"
    return f"set {TOKEN}, or --influx-token-file, to a token that may write"


def _forbidden(answer: Answer, target: Target, interface: Version) -> str:
    if interface is Version.ONE:
        return f"let the user write: GRANT WRITE ON {_quoted(target.database)} TO {_quoted(target.username)}"
    return f"let the token write to {_place(target, interface)}, or set {TOKEN} to another one"


def _missing(answer: Answer, target: Target, interface: Version) -> str:
    if _NO_PAGE.search(words(answer)):
        return f"correct {URL}, or name the server's version with --influx-version"
    if interface is Version.ONE:
        return f"create it: CREATE DATABASE {_quoted(target.database)}, or correct {DATABASE}"
    if interface is Version.TWO:
        return f"create the bucket, or correct {ORG} and {BUCKET}"
    return f"create the database, or correct {DATABASE}"


_REFUSALS: dict[int, Callable[[Answer, Target, Version], str]] = {
    401: _unknown,
    403: _forbidden,
    404: _missing,
}


def _quoted(name: str) -> str:
    """A name as InfluxQL writes it."""
    return '"{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"'))
