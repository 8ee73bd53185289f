"""A real InfluxDB for all tests that need one, and a database of its own for each."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.influxd import Influx, influxd

NUMBERS = count()


@pytest.fixture(scope="session")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    with influxd(tmp_path_factory.mktemp("influx")) as server:
        yield server


@pytest.fixture
def database() -> str:
    """The name of a database that no other test uses."""
    return f"test_{next(NUMBERS)}"
