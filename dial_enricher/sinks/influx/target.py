"""Where the points go, and how each version of InfluxDB is spoken to. Pure."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from dial_enricher.errors import SettingError

URL = "INFLUX_URL"
ORG = "INFLUX_ORG"
BUCKET = "INFLUX_BUCKET"
TOKEN = "INFLUX_API_TOKEN"
DATABASE = "INFLUX_DATABASE"
USERNAME = "INFLUX_USERNAME"
PASSWORD = "INFLUX_PASSWORD"
_LONGEST_TIMEOUT = 3600
VARIABLES = (URL, ORG, BUCKET, TOKEN, DATABASE, USERNAME, PASSWORD)
"""The customer's own names."""


class Version(StrEnum):
    """A generation of the server's interface."""

    ONE = "1"
    TWO = "2"
    THREE = "3"


@dataclass(frozen=True, slots=True)
class Target:
    """A database and the way to it. Raises SettingError for settings that cannot work."""

    url: str
    org: str = ""
    bucket: str = ""
    database: str = ""
    token: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    version: Version | None = None
    """None: ask the server."""
    ca: Path | None = None
    """Certificates to trust, PEM; None: those of the system."""
    timeout: float = 30.0
    """Seconds after which a request that has no whole answer has failed."""

    def __post_init__(self) -> None:
        if not self.url:
            raise SettingError(f"--to influxdb needs {URL}, for instance http://localhost:8086")
        _check_url(self.url)
        if not (self.database or self.bucket):
            raise SettingError(
                f"--to influxdb needs {DATABASE} (InfluxDB 1 and 3), or {ORG} and {BUCKET} (InfluxDB 2)"
            )
        for name, value in ((TOKEN, self.token), (USERNAME, self.username), (PASSWORD, self.password)):
            if not value.isprintable():
                raise SettingError(f"{name} holds a control character")
        if not self.token.isascii():
            raise SettingError(f"{TOKEN} holds a character that no token has")
        if bool(self.username) != bool(self.password):
            raise SettingError(f"{USERNAME} and {PASSWORD} need each other")
        if not 0 < self.timeout <= _LONGEST_TIMEOUT:
            raise SettingError(f"--influx-timeout must be more than 0 and at most {_LONGEST_TIMEOUT} seconds")
        if self.version is not None:
            route(self, self.version)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be in no message, in the forms in which it is sent or may be repeated."""
        credentials = authorization(self, Version.ONE).rpartition(" ")[2]
        escaped = json.dumps(self.password)[1:-1]
        return tuple(filter(None, (self.token, self.password, escaped, credentials)))

    @property
    def guess(self) -> Version:
        """The version that the settings speak of, for a server that does not tell its own."""
        if self.version is not None:
            return self.version
        if not self.database:
            return Version.TWO
        return Version.THREE if self.token else Version.ONE


@dataclass(frozen=True, slots=True)
class Route:
    """How to write to a server of one version."""

    version: Version
    path: str
    query: tuple[tuple[str, str], ...]
    authorization: str = field(repr=False)
    """A header's value; empty: none."""


def route(target: Target, version: Version) -> Route:
    """The way of writing for a version. Raises SettingError when a setting is missing for it."""
    return _ROUTES[version](target)


def _one(target: Target) -> Route:
    if not target.database:
        raise SettingError(f"InfluxDB 1 needs {DATABASE}")
    query = (("db", target.database), ("precision", "ns"))
    return Route(Version.ONE, "/write", query, authorization(target, Version.ONE))


def _two(target: Target) -> Route:
    missing = [name for name, value in ((ORG, target.org), (BUCKET, target.bucket)) if not value]
    if missing:
        raise SettingError(f"InfluxDB 2 needs {' and '.join(missing)}")
    query = (("org", target.org), ("bucket", target.bucket), ("precision", "ns"))
    return Route(Version.TWO, "/api/v2/write", query, authorization(target, Version.TWO))


def _three(target: Target) -> Route:
    """Without `no_sync`: an answer has to mean that the points are stored."""
    query = (("db", target.database or target.bucket), ("precision", "nanosecond"))
    return Route(Version.THREE, "/api/v3/write_lp", query, authorization(target, Version.THREE))


_ROUTES = {Version.ONE: _one, Version.TWO: _two, Version.THREE: _three}


def authorization(target: Target, version: Version) -> str:
    """The header that says who writes; empty when the settings name nobody."""
    if version is Version.ONE and target.username:
        return f"Basic {b64encode(f'{target.username}:{target.password}'.encode()).decode()}"
    if not target.token:
        return ""
    return f"{'Bearer' if version is Version.THREE else 'Token'} {target.token}"


def read_target(
    environment: Mapping[str, str],
    *,
    version: Version | None = None,
    token_file: Path | None = None,
    ca: Path | None = None,
    timeout: float = 30.0,
) -> Target:
    """The target that the environment names. Raises SettingError."""
    values = {name: environment.get(name, "") for name in VARIABLES}
    values |= {name: value.strip() for name, value in values.items() if name != PASSWORD}
    return Target(
        url=values[URL].rstrip("/"),
        org=values[ORG],
        bucket=values[BUCKET],
        database=values[DATABASE],
        token=_read_token(token_file) if token_file else values[TOKEN],
        username=values[USERNAME],
        password=values[PASSWORD],
        version=version,
        ca=ca,
        timeout=timeout,
    )


def _read_token(file: Path) -> str:
    try:
        token = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"cannot read the token file {file}: {type(error).__name__}") from None
    if not token:
        raise SettingError(f"the token file {file} is empty")
    return token


def _check_url(url: str) -> None:
    """The messages leave the URL's own text out: somebody may have written a password into it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SettingError(f"{URL} is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise SettingError(f"{URL} must be http://HOST:PORT or https://HOST:PORT")
    if parts.username is not None or parts.password is not None:
        raise SettingError(f"{URL} must hold no password: set {USERNAME} and {PASSWORD}, or {TOKEN}")
    if parts.query or parts.fragment or not url.isprintable() or " " in url:
        raise SettingError(f"{URL} must be the server's address alone, without query or fragment")
