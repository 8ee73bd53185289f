"""How InfluxDB 1, 2 and 3 are spoken to, and how they answer."""

import json
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

from tests.influxd import PASSWORD, USER

TOKEN = "t0ken-of-nobody_5d1e=="
ORG, BUCKET = "Münchner & Söhne", "dial logs/1"
WORDS = "the server does not like it"
"""Why a line is refused."""


class Reply(NamedTuple):
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


def in_json(status: int, content: Any, **headers: str) -> Reply:
    return Reply(status, json.dumps(content).encode(), {"Content-Type": "application/json", **headers})


class BadLine(NamedTuple):
    number: int
    """From 1."""
    line: bytes


class Dialect(ABC):
    """One version of InfluxDB."""

    version: int
    path: str
    """Where lines are written to."""
    names: Mapping[str, str]
    """What a write request has to say in its query."""
    precision: str
    authorization: str
    environment: Mapping[str, str]
    """The settings with which the program speaks it."""
    stores_rest = True
    """Whether the good lines of a request with bad ones are stored."""

    @property
    def target(self) -> str:
        """Path and query of a write request."""
        return f"{self.path}?{urlencode({**self.names, 'precision': self.precision})}"

    def objection(self, query: str) -> Reply | None:
        """What is wrong with the query of a write request."""
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        for name, value in self.names.items():
            if asked.get(name) != value:
                return self.error(404, f"{name} not found: {asked.get(name)}")
        if asked.get("precision", self.precision) != self.precision:
            return self.error(400, "invalid precision")
        return None

    def error(self, status: int, message: str) -> Reply:
        return in_json(status, {"error": message})

    @abstractmethod
    def ping(self) -> Reply: ...

    def health(self) -> Reply:
        return Reply(404, b"404 page not found\n")

    @abstractmethod
    def refusal(self, bad: Sequence[BadLine]) -> Reply:
        """The answer to a request that holds bad lines."""


class One(Dialect):
    version = 1
    path = "/write"
    names: Mapping[str, str] = {"db": BUCKET}
    precision = "ns"
    authorization = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    environment: Mapping[str, str] = {
        "INFLUX_DATABASE": BUCKET,
        "INFLUX_USERNAME": USER,
        "INFLUX_PASSWORD": PASSWORD,
    }

    def ping(self) -> Reply:
        return Reply(204, headers={"X-Influxdb-Version": "1.8.10", "X-Influxdb-Build": "OSS"})

    def refusal(self, bad: Sequence[BadLine]) -> Reply:
        return self.error(400, f"partial write: {WORDS} dropped={len(bad)}")


class Two(Dialect):
    version = 2
    path = "/api/v2/write"
    names: Mapping[str, str] = {"org": ORG, "bucket": BUCKET}
    precision = "ns"
    authorization = f"Token {TOKEN}"
    environment: Mapping[str, str] = {"INFLUX_ORG": ORG, "INFLUX_BUCKET": BUCKET, "INFLUX_API_TOKEN": TOKEN}
    stores_rest = False

    def error(self, status: int, message: str) -> Reply:
        codes = {400: "invalid", 401: "unauthorized", 404: "not found", 413: "request too large"}
        return in_json(status, {"code": codes.get(status, "internal error"), "message": message})

    def ping(self) -> Reply:
        return Reply(204, headers={"X-Influxdb-Version": "v2.7.10", "X-Influxdb-Build": "OSS"})

    def health(self) -> Reply:
        return in_json(200, {"name": "influxdb", "status": "pass", "checks": [], "version": "v2.7.10"})

    def refusal(self, bad: Sequence[BadLine]) -> Reply:
        return self.error(400, f"unable to parse '{bad[0].line.decode()}': {WORDS}")


class Three(Dialect):
    version = 3
    path = "/api/v3/write_lp"
    names: Mapping[str, str] = {"db": BUCKET}
    precision = "nanosecond"
    authorization = f"Bearer {TOKEN}"
    environment: Mapping[str, str] = {"INFLUX_DATABASE": BUCKET, "INFLUX_API_TOKEN": TOKEN}

    def ping(self) -> Reply:
        return in_json(200, {"version": "3.5.0", "revision": "0", "process_id": "b3c1"})

    def health(self) -> Reply:
        return Reply(200, b"OK")

    def refusal(self, bad: Sequence[BadLine]) -> Reply:
        data = [
            {"original_line": line.decode(), "line_number": number, "error_message": WORDS}
            for number, line in bad
        ]
        return in_json(400, {"error": "partial write of line protocol occurred", "data": data})


class TwoUnprocessable(Two):
    """Version 2 when the points are at fault and not their spelling, as when a field changes its type."""

    stores_rest = True

    def refusal(self, bad: Sequence[BadLine]) -> Reply:
        message = f"failure writing points to database: partial write: {WORDS} dropped={len(bad)}"
        return in_json(422, {"code": "unprocessable entity", "message": message})


class ThreeAllOrNothing(Three):
    """Version 3 that accepts no partial writes, and names the first bad line only."""

    stores_rest = False

    def refusal(self, bad: Sequence[BadLine]) -> Reply:
        number, line = bad[0]
        first = {"original_line": line.decode(), "line_number": number, "error_message": WORDS}
        return in_json(400, {"error": "parsing failed for write_lp endpoint", "data": first})


BEYOND = "points beyond retention policy"


class OneBeyond(One):
    """Version 1 for points that are too old."""

    def refusal(self, bad: Sequence[BadLine]) -> Reply:
        return self.error(400, f"partial write: {BEYOND} dropped={len(bad)}")


class TwoBeyond(TwoUnprocessable):
    def refusal(self, bad: Sequence[BadLine]) -> Reply:
        message = f"failure writing points to database: partial write: {BEYOND} dropped={len(bad)}"
        return in_json(422, {"code": "unprocessable entity", "message": message})


class TwoBeyondInternal(TwoUnprocessable):
    """As some releases of version 2 tell it: like a failure of their own."""

    def refusal(self, bad: Sequence[BadLine]) -> Reply:
        message = f"unexpected error writing points to database: partial write: {BEYOND} dropped={len(bad)}"
        return in_json(500, {"code": "internal error", "message": message})


DIALECTS: tuple[Dialect, ...] = (One(), Two(), Three())
EVERY_REFUSAL: tuple[Dialect, ...] = (
    *DIALECTS,
    TwoUnprocessable(),
    ThreeAllOrNothing(),
    OneBeyond(),
    TwoBeyond(),
    TwoBeyondInternal(),
)
