"""One request, one answer, through influxdb-client; slow to load, so only who writes to InfluxDB imports it.

The package's WriteApi knows version 2's path alone, and packs at the slowest setting. The client beneath it
sends our bytes to every version in the same way: one synchronous request, no retry.
"""

import ssl
from collections.abc import Mapping
from gzip import compress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException

from dial_enricher.errors import SettingError
from dial_enricher.sinks.influx.deadline import deadline, watch
from dial_enricher.sinks.influx.fates import DISTRUSTED, NO_ANSWER, Answer
from dial_enricher.sinks.influx.target import Target, Version, authorization, route

_CONNECT_SECONDS = 10.0
_GZIP_LEVEL = 1
"""Line protocol repeats itself: the fastest level makes a fifth of it already."""
_TOO_LATE = "no answer in time"
_Query = tuple[tuple[str, str], ...]


class Server:
    """A server of whatever version. Several threads may use it. Connects only when something is sent."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._route = None if target.version is None else route(target, target.version)
        client = InfluxDBClient(
            url=target.url,
            timeout=(min(_CONNECT_SECONDS, target.timeout) * 1000, target.timeout * 1000),
            ssl_context=_trust(target.ca),
            **_proxy(target.url),
        )
        self._client: Any = client.api_client
        watch(self._client.rest_client.pool_manager)

    def write(self, lines: bytes) -> Answer:
        """Sends lines of line protocol. Raises SettingError when the server wants other settings."""
        if self._route is None:
            version, answer = self.version()
            if version is None:
                return answer
            self._route = route(self._target, version)
        headers = {
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Encoding": "gzip",
            "Authorization": self._route.authorization,
        }
        body = compress(lines, _GZIP_LEVEL, mtime=0)
        return self._send("POST", self._route.path, self._route.query, headers, body)

    def version(self) -> tuple[Version | None, Answer]:
        """The server's version, by its own words; None, with an answer, while it cannot be known."""
        answer = Answer(NO_ANSWER)
        for path in ("/ping", "/health"):
            by = authorization(self._target, self._target.guess)
            answer = self._send("GET", path, (), {"Authorization": by, "Content-Type": "text/plain"})
            if told := told_version(answer):
                return _generation(told, self._target), answer
            if answer.status in (NO_ANSWER, DISTRUSTED, 401, 403, 408, 429) or answer.status >= 500:
                return None, answer
        return self._target.guess, answer

    def _send(
        self, method: str, path: str, query: _Query, headers: dict[str, str], body: bytes | None = None
    ) -> Answer:
        with deadline(self._target.timeout) as limit:
            answer = self._exchange(method, path, query, headers, body)
        return Answer(NO_ANSWER, trouble=_TOO_LATE) if limit.passed else answer

    def _exchange(
        self, method: str, path: str, query: _Query, headers: dict[str, str], body: bytes | None
    ) -> Answer:
        try:
            answer = self._client.call_api(
                path,
                method,
                query_params=list(query),
                header_params={name: value for name, value in headers.items() if value},
                body=body,
                _preload_content=False,  # preloading decodes the body, which need not be UTF-8
                _return_http_data_only=True,
                urlopen_kw={"redirect": False},
            )
            return self._answer(answer.status, answer.headers, answer.data)
        except ApiException as refusal:
            if refusal.status:
                return self._answer(refusal.status, refusal.headers, refusal.body)
            return _trouble(refusal.__context__)  # the package's way to say that TLS failed
        except urllib3.exceptions.HTTPError as error:
            return _trouble(error)

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes | None) -> Answer:
        body, told = body or b"", {name.lower(): value for name, value in headers.items()}
        for secret in self._target.secrets:  # some servers and proxies repeat what they refuse
            body = body.replace(secret.encode(), b"***")
            told = {name: value.replace(secret, "***") for name, value in told.items()}
        return Answer(status, body, told)


def told_version(answer: Answer) -> str:
    """The version in an answer to `/ping` or `/health`, such as `1.6.7`; empty when it tells none."""
    told: Any = answer.headers.get("x-influxdb-version", "")
    if not told:
        told = answer.document.get("version", "")
    number = str(told).removeprefix("v")
    return number if number[:1].isdigit() else ""


def _generation(told: str, target: Target) -> Version:
    major, minor = [*told.split("."), ""][:2]
    if major == "1" and minor.isdigit() and int(minor) >= 8 and not target.database:
        return Version.TWO  # 1.8 takes a bucket `database/policy` on version 2's path
    return Version(major) if major in tuple(Version) else target.guess


def _trouble(error: BaseException | None) -> Answer:
    """An answer that did not come. In our words: a library's may quote a proxy's password."""
    cause = _root(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Answer(DISTRUSTED, trouble=f"its certificate is not trusted: {cause.verify_message}")
    words = next((words for kind, words in _TROUBLES.items() if isinstance(error, kind)), "")
    if words:
        return Answer(NO_ANSWER, trouble=words)
    told = cause.strerror if isinstance(cause, OSError) else None
    return Answer(NO_ANSWER, trouble=(told or type(cause).__name__).lower())


_TROUBLES: dict[type[BaseException], str] = {
    urllib3.exceptions.NameResolutionError: "its name cannot be resolved",
    urllib3.exceptions.NewConnectionError: "",  # the system's words: refused, no route, ...
    urllib3.exceptions.ConnectTimeoutError: "no connection in time",
    urllib3.exceptions.ReadTimeoutError: _TOO_LATE,
    urllib3.exceptions.ProxyError: "the proxy does not connect",
}


def _root(error: BaseException | None) -> BaseException | None:
    """The exception that began a chain; urllib3 keeps it in the arguments or as the cause."""
    while error is not None:
        inner = [value for value in error.args if isinstance(value, BaseException)]
        deeper = error.__cause__ or error.__context__ or (inner[0] if inner else None)
        if deeper is None:
            break
        error = deeper
    return error


def _trust(ca: Path | None) -> ssl.SSLContext:
    """The certificates to trust. Raises SettingError for a file that holds none."""
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise SettingError(f"--influx-ca {ca} holds no certificates: {type(error).__name__}") from None


def _proxy(url: str) -> dict[str, Any]:
    """The proxy that the environment names for a URL (`https_proxy`, `no_proxy` and so on)."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    if not proxy or proxy_bypass(parts.netloc):
        return {}
    login = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    bare = login._replace(netloc=login.netloc.rpartition("@")[2]).geturl()
    if login.username is None:
        return {"proxy": bare}
    user = f"{unquote(login.username)}:{unquote(login.password or '')}"
    return {"proxy": bare, "proxy_headers": urllib3.make_headers(proxy_basic_auth=user)}
