"""Real servers, their passwords and versions, and files with tokens."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests import lp
from tests.delivery import EAGER, Sender, check_stored, mixed, records, sender, stored, understood
from tests.faults.dialects import DIALECTS, TOKEN, Dialect
from tests.faults.server import serving
from tests.influxd import PASSWORD, USER, Influx, Victoria, influxd, victoria_metrics, wait_for
from tests.support import check_refused, finish

EACH = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.version)
ONE, TWO, THREE = DIALECTS
SMALL = mixed(60)


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    with influxd(tmp_path_factory.mktemp("locked"), auth=True) as server:
        yield server


def to(influx: Influx, database: str, directory: Path, **more: str) -> Sender:
    """The program with the settings of a real InfluxDB 1, whose version it finds out."""
    return Sender(directory, EAGER, {"INFLUX_URL": influx.url, "INFLUX_DATABASE": database, **more})


# A real InfluxDB 1


def test_a_real_server(influx: Influx, database: str, tmp_path: Path) -> None:
    log = mixed()
    influx.database(database)
    program = to(influx, database, tmp_path)
    assert program.send(log.data).code == 0
    check_stored(influx, database, log.rows)
    program.check_dead(log)


def test_a_field_of_another_type_kills_its_records_only(
    influx: Influx, database: str, tmp_path: Path
) -> None:
    log = understood(records(200))
    conflicts = [point for point in log.good if point.startswith(b"responses_analytics,")]
    time = lp.parse(conflicts[0]).time
    influx.database(database)
    influx.write(database, b'responses_analytics prompt_tokens="many" %d\n' % (time - 1))
    before = stored(influx, database)
    program = to(influx, database, tmp_path)
    assert program.send(log.data).code == 0
    rest = log._replace(good=[one for one in log.good if one not in conflicts])
    check_stored(influx, database, before | rest.rows)
    program.check_dead(log, points=conflicts)
    assert "field type conflict" in program.letters[0]["detail"]


def test_points_that_are_too_old_die(influx: Influx, database: str, tmp_path: Path) -> None:
    influx.query("", f'CREATE DATABASE "{database}" WITH DURATION 1d')
    log = understood(records(100))
    program = to(influx, database, tmp_path)
    assert program.send(log.data).code == 0
    check_stored(influx, database, set())
    program.check_dead(log, points=log.good)
    assert "beyond retention" in program.letters[0]["detail"]


def test_a_database_that_is_not_there(influx: Influx, tmp_path: Path) -> None:
    program = to(influx, "nowhere", tmp_path)
    program.check_stopped(program.send(SMALL.data), "INFLUX_DATABASE", "nowhere")
    program.check_dead(SMALL, "undelivered", SMALL.good)


def test_who_has_the_password_may_write(locked: Influx, database: str, tmp_path: Path) -> None:
    locked.database(database)
    program = to(locked, database, tmp_path, INFLUX_USERNAME=USER, INFLUX_PASSWORD=PASSWORD)
    assert program.send(SMALL.data).code == 0
    check_stored(locked, database, SMALL.rows)


@pytest.mark.parametrize("who", ["nobody", "stranger", "reader", "wrong_password"])
def test_who_has_not_may_not(who: str, locked: Influx, database: str, tmp_path: Path) -> None:
    locked.database(database)
    if who == "reader":
        locked.query("", f"CREATE USER \"{database}\" WITH PASSWORD '{PASSWORD}'")
    user = {
        "nobody": {},
        "stranger": {"INFLUX_USERNAME": "stranger", "INFLUX_PASSWORD": PASSWORD},
        "reader": {"INFLUX_USERNAME": database, "INFLUX_PASSWORD": PASSWORD},
        "wrong_password": {"INFLUX_USERNAME": USER, "INFLUX_PASSWORD": PASSWORD[:-1]},
    }[who]
    program = to(locked, database, tmp_path, **user)
    done = program.send(SMALL.data)
    program.check_stopped(done, "INFLUX_USERNAME", "authoriz", "credentials")
    assert PASSWORD[:-1] not in done.err
    check_stored(locked, database, set())
    program.check_dead(SMALL, "undelivered", SMALL.good)


# VictoriaMetrics


@pytest.fixture(scope="module")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victoria]:
    with victoria_metrics(tmp_path_factory.mktemp("victoria")) as server:
        yield server


@pytest.mark.parametrize("version", ["1", "2", "auto"])
def test_victoria_metrics_gets_every_number(version: str, victoria: Victoria, tmp_path: Path) -> None:
    log = mixed()
    where = {"INFLUX_DATABASE": "dial"} if version == "1" else {"INFLUX_ORG": "x", "INFLUX_BUCKET": "dial"}
    program = Sender(tmp_path, (*EAGER, "--influx-version", version), {"INFLUX_URL": victoria.url, **where})
    assert program.send(log.data).code == 0
    program.check_dead(log)
    expected = by_series(sample for point in map(lp.parse, log.good) for sample in samples(point))
    database = ("db", "dial")
    names = {dict(labels)["__name__"] for labels, _ in expected}

    def found() -> Series:
        return by_series(
            (frozenset(labels.items() - {database}), time, f"{value:.9g}")
            for labels, time, value in victoria.samples()
            if labels["__name__"] in names and (database in labels.items()) == (version == "1")
        )

    wait_for(lambda: len(found()) >= len(expected))
    assert found().keys() == expected.keys()
    assert all(values <= expected[key] for key, values in found().items())


Sample = tuple[frozenset[tuple[str, str]], int, str]
Series = dict[tuple[frozenset[tuple[str, str]], int], set[str]]
"""Values by labels and millisecond; of several in a millisecond VictoriaMetrics may keep only one."""


def by_series(found: Iterable[Sample]) -> Series:
    values: Series = {}
    for labels, time, value in found:
        values.setdefault((labels, time), set()).add(value)
    return values


def samples(point: lp.Parsed) -> Iterator[Sample]:
    """The numbers of a point as VictoriaMetrics tells them."""
    for name, value in point.fields.items():
        if not isinstance(value, str):
            labels = {**point.tags, "__name__": f"{point.measurement}_{name}"}
            yield frozenset(labels.items()), point.time // 1_000_000, f"{value:.9g}"


# Which version


@EACH
@pytest.mark.parametrize("pings", [True, False])
def test_it_finds_out_the_version(
    pings: bool, dialect: Dialect, influx: Influx, database: str, tmp_path: Path
) -> None:
    with serving(dialect, influx, database, pings=pings) as server:
        program = sender(server, tmp_path, "--influx-version", "auto")
        assert program.send(SMALL.data).code == 0
    check_stored(influx, database, SMALL.rows)


@EACH
def test_a_server_that_comes_up_late(dialect: Dialect, influx: Influx, database: str, tmp_path: Path) -> None:
    with serving(dialect, influx, database, is_open=False) as server:
        program = sender(server, tmp_path, "--influx-version", "auto")
        process = program.start()
        server.open_after(1.5)
        done = finish(process, SMALL.data)
        program.check_discreet(done)
        assert done.code == 0, done.err
    check_stored(influx, database, SMALL.rows)
    program.check_dead(SMALL)


# Tokens in files


@pytest.mark.parametrize("dialect", [TWO, THREE], ids=["2", "3"])
def test_a_token_in_a_file(dialect: Dialect, influx: Influx, database: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    with serving(dialect, influx, database) as server:
        program = sender(server, tmp_path, "--influx-token-file", str(file))
        del program.env["INFLUX_API_TOKEN"]
        assert program.send(SMALL.data).code == 0
    check_stored(influx, database, SMALL.rows)


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_file_without_a_token(content: bytes | None, influx: Influx, database: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with serving(TWO, influx, database) as server:
        program = sender(server, tmp_path, "--influx-token-file", str(file))
        done = finish(program.start(), SMALL.data)
        check_refused(done, str(file))
        assert not server.writes
