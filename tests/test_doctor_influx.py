"""`dial-enricher doctor` and InfluxDB: the server, its rights, a trial, its clock."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from dial_enricher.doctor.clock import clock
from dial_enricher.doctor.finding import Level
from dial_enricher.doctor.influx import _advice
from dial_enricher.sinks.influx.fates import DISTRUSTED, NO_ANSWER, Answer
from dial_enricher.sinks.influx.target import Target, Version
from tests.doctoring import TO_INFLUX, Report, doctor
from tests.faults.dialects import DIALECTS, Dialect, One, Reply, Three, Two, in_json
from tests.influxd import PASSWORD, USER, Influx, free_ports, influxd


@contextmanager
def scripted(pages: Mapping[str, Reply]) -> Iterator[str]:
    """A server that has these pages, by method and path; its address."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            reply = pages.get(f"{self.command} {self.path.partition('?')[0]}", Reply(404))
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = answer

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def asked(url: str, dialect: Dialect, *arguments: str, env: Mapping[str, str] | None = None) -> Report:
    settings = {"INFLUX_URL": url, **dialect.environment, **(env or {})}
    report = doctor(*TO_INFLUX, *arguments, env=settings)
    report.check_code()
    return report


def pages(dialect: Dialect, write: Reply) -> dict[str, Reply]:
    return {"GET /ping": dialect.ping(), "GET /health": dialect.health(), f"POST {dialect.path}": write}


WELL: tuple[tuple[Dialect, Reply, str], ...] = (
    (One(), Reply(204), "InfluxDB 1.8.10, spoken to as version 1"),
    (Two(), Two().error(400, "writing requires points"), "InfluxDB 2.7.10, spoken to as version 2"),
    (Three(), in_json(400, {"error": "incoming write was empty"}), "InfluxDB 3.5.0, spoken to as version 3"),
)


@pytest.mark.parametrize(("dialect", "write", "told"), WELL)
def test_each_version_may_take_an_empty_write(dialect: Dialect, write: Reply, told: str) -> None:
    with scripted(pages(dialect, write)) as url:
        report = asked(url, dialect, "--dead-letter", "-")
    assert report.code == 0
    report.check("server", "ok", url, told, " ms")
    report.check("access", "ok", "may write to")
    assert "write test" not in report.names


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.version)
@pytest.mark.parametrize(
    ("status", "said", "advice"),
    [
        (401, "unauthorized access", ("INFLUX_USERNAME", "INFLUX_API_TOKEN", "INFLUX_API_TOKEN")),
        (403, "no right to write", ("GRANT WRITE ON", "let the token write", "let the token write")),
        (404, "it is not there", ("CREATE DATABASE", "create the bucket", "create the database")),
        (404, "404 page not found", ("--influx-version",) * 3),
        (302, "302 Found", ("correct INFLUX_URL",) * 3),
        (400, "invalid precision", ("look at the server's log",) * 3),
        (503, "timeout", ("look at the server's log",) * 3),
    ],
)
def test_a_refused_write_is_told(dialect: Dialect, status: int, said: str, advice: tuple[str, ...]) -> None:
    reply = Reply(302) if status == 302 else dialect.error(status, said)
    with scripted(pages(dialect, reply)) as url:
        report = asked(url, dialect)
    assert report.code == 1
    report.check("access", "FAIL", said, advice[dialect.version - 1])


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.version)
def test_a_server_that_repeats_secrets_is_not_repeated(dialect: Dialect) -> None:
    own = [
        dialect.environment[name]
        for name in ("INFLUX_API_TOKEN", "INFLUX_PASSWORD")
        if name in dialect.environment
    ]
    said = f"who is {', '.join([*own, dialect.authorization])}?"
    with scripted(pages(dialect, dialect.error(401, said))) as url:
        asked(url, dialect).check("access", "FAIL", "who is ", "***")


def test_a_server_that_tells_its_version_to_nobody() -> None:
    refusal = Three().error(401, "unauthorized")
    with scripted(dict.fromkeys(("GET /ping", "GET /health"), refusal)) as url:
        report = asked(url, Three())
    report.check("server", "warn", "does not tell its version, spoken to as version 3")
    report.check("access", "FAIL", "unauthorized", "INFLUX_API_TOKEN")


def test_a_named_version_is_spoken() -> None:
    with scripted({"POST /write": Reply(204)}) as url:
        report = asked(url, One(), "--influx-version", "1")
    report.check("server", "warn", "spoken to as version 1 (--influx-version)")
    report.check("access", "ok")


def test_what_the_server_tells_counts_more_than_the_settings() -> None:
    with scripted(pages(One(), One().error(404, "not there"))) as url:
        report = asked(url, Three())
    report.check("server", "ok", "spoken to as version 1")
    report.check("access", "FAIL", "CREATE DATABASE")


def test_a_version_that_wants_other_settings() -> None:
    with scripted(pages(Two(), Reply(204))) as url:
        report = asked(url, One())
    report.check("access", "FAIL", "InfluxDB 2 needs INFLUX_ORG")


def test_the_time_of_the_server_is_looked_at() -> None:
    ping = Reply(204, headers={**One().ping().headers, "Date": "Fri, 20 Nov 2020 12:00:00 GMT"})
    with scripted({"GET /ping": ping, "POST /write": Reply(204)}) as url:
        asked(url, One()).check("clock", "warn", "ahead of the server's")


def test_nobody_listens() -> None:
    (port,) = free_ports(1)
    report = asked(f"http://127.0.0.1:{port}", One(), "--write-test")
    assert report.code == 1
    report.check(
        "server", "FAIL", f"http://127.0.0.1:{port}: connection refused; start it, or correct INFLUX_URL"
    )
    assert {"access", "write test"} & set(report.names) == set()


def test_a_server_that_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        report = asked(url, Two(), "--influx-timeout", "0.3")
    report.check("server", "FAIL", "no answer in time", "--influx-timeout")


def test_a_server_that_is_down_for_a_while() -> None:
    with scripted({"GET /ping": Reply(503)}) as url:
        report = asked(url, One())
    report.check("server", "FAIL", "503 Service Unavailable", "try again")
    assert "access" not in report.names


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (Answer(DISTRUSTED, trouble="its certificate is not trusted: self-signed"), "--influx-ca"),
        (Answer(NO_ANSWER, trouble="its name cannot be resolved"), "correct INFLUX_URL"),
        (Answer(NO_ANSWER, trouble="the proxy does not connect"), "no_proxy"),
        (Answer(NO_ANSWER, trouble="no connection in time"), "--influx-timeout"),
        (Answer(NO_ANSWER, trouble="connection reset by peer"), "start it"),
    ],
)
def test_each_trouble_has_its_advice(answer: Answer, advice: str) -> None:
    target = Target("http://127.0.0.1:1", database="d")
    assert advice in _advice(answer, target, Version.ONE)


def test_certificates_that_are_none(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    report = asked("https://127.0.0.1:1", Two(), "--influx-ca", str(file))
    report.check("server", "FAIL", f"--influx-ca {file} holds no certificates")
    assert "access" not in report.names


def test_lost_records_are_warned_of() -> None:
    (port,) = free_ports(1)
    report = asked(f"http://127.0.0.1:{port}", One())
    report.check("dead letters", "warn", "would be lost", "--dead-letter")


# The server itself


@pytest.fixture(scope="module", params=[False, True], ids=["open", "auth"])
def influx(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    with influxd(tmp_path_factory.mktemp("influx"), auth=request.param) as server:
        yield server


def really(influx: Influx, database: str, *arguments: str, **env: str) -> Report:
    names = {"INFLUX_DATABASE": database, "INFLUX_USERNAME": USER, "INFLUX_PASSWORD": PASSWORD} | env
    return asked(influx.url, One(), *arguments, env=names)


def test_a_real_server_is_told_apart_from_a_database(influx: Influx) -> None:
    report = really(influx, influx.database("logs"), "--dead-letter", "-")
    assert report.code == 0
    report.check("server", "ok", influx.url, "InfluxDB 1.", "spoken to as version 1")
    report.check("access", "ok", "may write to database logs")
    report.check("clock", "ok", "as the server's")
    missing = really(influx, 'no "such')
    missing.check("server", "ok")
    missing.check("access", "FAIL", "database not found", 'CREATE DATABASE "no \\"such"')
    assert influx.measurements("logs") == []


def test_a_real_server_refuses_strangers(influx: Influx) -> None:
    influx.database("logs")
    if not influx._auth:
        really(influx, "logs", INFLUX_PASSWORD="wrong").check("access", "ok")
        return
    really(influx, "logs", INFLUX_PASSWORD="wrong").check("access", "FAIL", "INFLUX_USERNAME")
    influx.query("", "CREATE USER reader WITH PASSWORD 'reads'")
    report = really(influx, "logs", INFLUX_USERNAME="reader", INFLUX_PASSWORD="reads")
    report.check("access", "FAIL", 'GRANT WRITE ON "logs" TO "reader"')


def test_a_trial_is_written(influx: Influx) -> None:
    database = influx.database("trial")
    report = really(influx, database, "--write-test")
    report.check("write test", "ok", "one point of dial_enricher_doctor", "database trial", "stays there")
    assert len(influx.query(database, 'SELECT * FROM "dial_enricher_doctor"')) == 1
    missing = really(influx, "nowhere", "--write-test")
    missing.check("write test", "FAIL", "database not found", "CREATE DATABASE")


# The clock

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ahead", "level", "part"),
    [
        (0, Level.OK, "2026-11-20 12:00:00 UTC, as the server's"),
        (60, Level.OK, "as the server's"),
        (-61, Level.WARN, "61 s behind the server's"),
        (3600, Level.WARN, "3600 s ahead of the server's"),
    ],
)
def test_the_clock_of_the_server(ahead: int, level: Level, part: str) -> None:
    (told,) = clock(NOW, format_datetime(NOW - timedelta(seconds=ahead), usegmt=True), None)
    assert told[0] is level
    assert part in told[1]


def nanoseconds(seconds_later: int) -> int:
    return int((NOW.timestamp() + seconds_later) * 1e9)


@pytest.mark.parametrize(("later", "level"), [(-9999, Level.OK), (60, Level.OK), (90, Level.WARN)])
@pytest.mark.parametrize("date", ["", "nonsense"])
def test_the_clock_of_the_records(date: str, later: int, level: Level) -> None:
    (told,) = clock(NOW, date, nanoseconds(later))
    assert told[0] is level
    assert (f"{later} s behind the newest record" in told[1]) is (level is Level.WARN)
