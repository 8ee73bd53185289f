"""Real databases for tests: InfluxDB 1.x and VictoriaMetrics, each a process of its own in a directory."""

import json
import shutil
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from tests.support import PATIENCE, needed

CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{dir}/meta"
[data]
dir = "{dir}/data"
wal-dir = "{dir}/wal"
[http]
bind-address = "127.0.0.1:{http}"
log-enabled = false
auth-enabled = {auth}
[monitor]
store-enabled = false
[subscriber]
enabled = false
[retention]
enabled = false
"""
BATCH = 5000
USER, PASSWORD = "enricher", "pass:wörd 8f3a1c"
"""Who may write to a server with authorization."""


class Database:
    """A server, by its address."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, path: str, data: bytes | None = None) -> bytes:
        """The body of an answer. Raises HTTPError for a refusal."""
        with urlopen(self._request(path, data), timeout=PATIENCE) as answer:
            body: bytes = answer.read()
            return body

    def _request(self, path: str, data: bytes | None) -> Request:
        return Request(self.url + path, data)


class Influx(Database):
    """InfluxDB 1.x; with authorization its user is USER."""

    def __init__(self, port: int, *, auth: bool = False) -> None:
        super().__init__(port)
        self._auth = auth

    def _request(self, path: str, data: bytes | None) -> Request:
        request = super()._request(path, data)
        if self._auth:
            request.add_header("Authorization", "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode())
        return request

    def write(self, database: str, points: bytes) -> None:
        """Posts points in batches, each of which has to be taken whole."""
        lines = points.splitlines(keepends=True)
        for at in range(0, len(lines), BATCH):
            body = b"".join(lines[at : at + BATCH])
            query = urlencode({"db": database, "precision": "ns"})
            try:
                assert self.ask(f"/write?{query}", body) == b""
            except HTTPError as refusal:
                pytest.fail(f"refused: {refusal.read().decode()}")

    def query(self, database: str, statement: str) -> list[dict[str, Any]]:
        """Rows of all series, tags and columns alike."""
        data = urlencode({"db": database, "q": statement, "epoch": "ns"}).encode()
        (result,) = json.loads(self.ask("/query", data))["results"]
        assert "error" not in result, result
        return [
            dict(zip(series["columns"], values, strict=True)) | series.get("tags", {})
            for series in result.get("series", [])
            for values in series["values"]
        ]

    def database(self, name: str) -> str:
        self.query("", f'CREATE DATABASE "{name}"')
        return name

    def measurements(self, database: str) -> list[str]:
        return [row["name"] for row in self.query(database, "SHOW MEASUREMENTS")]


class Victoria(Database):
    """VictoriaMetrics, which keeps numeric fields as series of milliseconds."""

    def samples(self) -> list[tuple[dict[str, str], int, float]]:
        """Every sample: labels with the name among them, the time in milliseconds, the value."""
        self.ask("/internal/force_flush")
        query = urlencode({"match[]": '{__name__!=""}', "start": "1678-01-01T00:00:00Z"})
        series = [json.loads(line) for line in self.ask(f"/api/v1/export?{query}").splitlines()]
        return [
            (one["metric"], time, value)
            for one in series
            for time, value in zip(one["timestamps"], one["values"], strict=True)
        ]


@contextmanager
def influxd(directory: Path, *, auth: bool = False) -> Iterator[Influx]:
    """A running InfluxDB 1.x; with `auth` only USER may write."""
    program = _installed("influxd", "influxdb")
    rpc, http = free_ports(2)
    config = directory / "influxdb.conf"
    config.write_text(CONFIG.format(dir=directory, rpc=rpc, http=http, auth=str(auth).lower()))
    with _running([program, "-config", str(config)], directory / "output", http, "/ping"):
        if auth:
            _first_user(Influx(http))
        yield Influx(http, auth=auth)


@contextmanager
def victoria_metrics(directory: Path) -> Iterator[Victoria]:
    """A running VictoriaMetrics, which forgets nothing."""
    program = _installed("victoria-metrics", "victoria-metrics")
    (port,) = free_ports(1)
    flags = {"storageDataPath": directory / "data", "httpListenAddr": f"127.0.0.1:{port}"}
    flags |= {"retentionPeriod": "100y", "memory.allowedBytes": "256MB"}
    command = [program, *(f"-{name}={value}" for name, value in flags.items())]
    with _running(command, directory / "output", port, "/health"):
        yield Victoria(port)


def _installed(program: str, package: str) -> str:
    path = shutil.which(program)
    if path is None:
        needed(f"{program} (Debian: {package})")
    assert path is not None
    return path


def _first_user(influx: Influx) -> None:
    influx.query("", f"CREATE USER \"{USER}\" WITH PASSWORD '{PASSWORD}' WITH ALL PRIVILEGES")


@contextmanager
def _running(command: list[str], log: Path, port: int, path: str) -> Iterator[None]:
    """A server as a process, from the time it answers."""
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        wait_for(lambda: _answers(server, log, port, path))
        yield
    finally:
        server.terminate()
        try:
            server.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            server.kill()


def _answers(server: subprocess.Popen[bytes], log: Path, port: int, path: str) -> bool:
    assert server.poll() is None, log.read_text()
    try:
        Database(port).ask(path)
    except (URLError, ConnectionError):
        return False
    return True


def wait_for(condition: Callable[[], bool]) -> None:
    """Returns when something is so, which has to come."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
