"""A server to write to, and the program that writes there: each time into a new database."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from benchmarks.processes import ENVIRONMENT, ROOT, Cost, run
from tests.influxd import Influx, influxd

_NUMBERS = count()


class Deliveries:
    """A server, and the program that writes to it."""

    def __init__(self, influx: Influx) -> None:
        self._influx = influx
        with urlopen(f"{influx.url}/ping") as answer:
            self.version: str = answer.headers["X-Influxdb-Version"].partition("~")[0]

    def run(self, command: Sequence[str | Path]) -> Cost:
        """Run the program with a database that it alone writes to."""
        database = self._influx.database(f"bench_{next(_NUMBERS)}")
        settings = (f"INFLUX_URL={self._influx.url}", f"INFLUX_DATABASE={database}")
        try:
            return run(["env", *settings, *command, "--to", "influxdb"])
        finally:
            self._influx.query("", f'DROP DATABASE "{database}"')


def time_to_leave(command: Sequence[str], lines: bytes) -> float:
    """Seconds from SIGTERM to the end of a program whose server takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = {"INFLUX_URL": url, "INFLUX_DATABASE": "bench", "DIAL_ENRICHER_SUMMARY": "never"}
        with subprocess.Popen(
            [*command, "--to", "influxdb", "--log-level", "error"],
            cwd=ROOT,
            env=ENVIRONMENT | settings,
            stdin=subprocess.PIPE,
        ) as process:
            assert process.stdin
            process.stdin.write(lines)
            process.stdin.flush()
            connection, _ = silent.accept()
            begin = time.perf_counter()
            process.terminate()
            process.wait()
            seconds = time.perf_counter() - begin
            connection.close()
    return seconds


@contextmanager
def deliveries() -> Iterator[Deliveries | None]:
    """A server that runs; None where none is installed."""
    if shutil.which("influxd") is None:
        yield None
        return
    with TemporaryDirectory() as directory, influxd(Path(directory)) as influx:
        yield Deliveries(influx)
