"""A server to write to, and the program that writes there: each time into a new database."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from benchmarks.processes import Cost, run
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


@contextmanager
def deliveries() -> Iterator[Deliveries | None]:
    """A server that runs; None where none is installed."""
    if shutil.which("influxd") is None:
        yield None
        return
    with TemporaryDirectory() as directory, influxd(Path(directory)) as influx:
        yield Deliveries(influx)
