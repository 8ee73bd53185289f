"""The fault server itself: it does as InfluxDB does, and as it is told."""

import gzip
import json
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from typing import Any

import pytest

from tests.faults import faults
from tests.faults.dialects import DIALECTS, EVERY_REFUSAL, WORDS, Dialect, Reply
from tests.faults.server import Fault, FaultServer, serving
from tests.influxd import Influx
from tests.support import PATIENCE

GOOD = b"a,project_id=1 b=1i 1\n"
BAD = b"a,project_id=poison b=2i 2\n"
EACH = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.version)


def post(server: FaultServer, body: bytes = GOOD, target: str = "", **headers: str) -> Reply:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    own = {"Authorization": server.dialect.authorization, "Content-Encoding": "gzip"}
    connection.request("POST", target or server.dialect.target, gzip.compress(body), own | headers)
    with connection.getresponse() as answer:
        return Reply(answer.status, answer.read(), dict(answer.headers))


def kept(influx: Influx, database: str) -> int:
    return len(influx.query(database, "SELECT b FROM a"))


@EACH
def test_good_lines_are_kept(dialect: Dialect, influx: Influx, database: str) -> None:
    with serving(dialect, influx, database) as server:
        assert post(server).status == 204
        assert kept(influx, database) == 1
        (request,) = server.writes
        assert (request.target, request.lines, request.status) == (dialect.target, [GOOD], 204)


@EACH
def test_what_is_asked_wrongly_is_refused(dialect: Dialect, influx: Influx, database: str) -> None:
    with serving(dialect, influx, database, most_bytes=40) as server:
        assert post(server, Authorization="Token wrong").status == 401
        assert post(server, target="/write/").status == 404
        assert post(server, target=dialect.target.replace("dial", "other")).status == 404
        assert post(server, target=dialect.target + "x").status == 400
        assert post(server, GOOD * 2).status == 413
        assert kept(influx, database) == 0


@pytest.mark.parametrize("dialect", EVERY_REFUSAL, ids=lambda dialect: type(dialect).__name__)
def test_bad_lines_are_refused(dialect: Dialect, influx: Influx, database: str) -> None:
    with serving(dialect, influx, database) as server:
        reply = post(server, BAD + GOOD)
        assert reply.status in {400, 422, 500}
        assert WORDS.encode() in reply.body or b"beyond retention" in reply.body
        assert kept(influx, database) == dialect.stores_rest


def test_the_real_server_has_its_say(influx: Influx, database: str) -> None:
    with serving(DIALECTS[0], influx, database) as server:
        reply = post(server, b"no point\n")
        assert (reply.status, b"unable to parse" in reply.body) == (400, True)


@EACH
def test_it_tells_its_version(dialect: Dialect, influx: Influx, database: str) -> None:
    with serving(dialect, influx, database) as server:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        connection.request("GET", "/ping", headers={"Authorization": dialect.authorization})
        answer = connection.getresponse()
        body = answer.read()
        version = json.loads(body)["version"] if body else answer.headers["X-Influxdb-Version"]
        assert version.lstrip("v").startswith(str(dialect.version))
        connection.request("GET", "/health")
        assert connection.getresponse().status == {1: 404, 2: 200, 3: 401}[dialect.version]


BREAKING: list[Callable[..., Any]] = [
    *(faults.lost_answer, faults.cut_answer, faults.garbage, faults.torn, faults.reset),
    faults.refused(0.1),
]


@pytest.mark.parametrize("fault", BREAKING)
def test_a_broken_connection_gives_no_answer(fault: Fault, influx: Influx, database: str) -> None:
    with serving(DIALECTS[1], influx, database, fault) as server:
        with pytest.raises((HTTPException, ConnectionError)):
            post(server)
        stored = fault in (faults.lost_answer, faults.cut_answer)
        assert kept(influx, database) == stored


def test_nobody_listens_until_it_opens(influx: Influx, database: str) -> None:
    with serving(DIALECTS[1], influx, database, is_open=False) as server:
        for _ in range(2):
            with pytest.raises(ConnectionRefusedError):
                post(server)
            server.open()
            assert post(server).status == 204
            server.shut()


def test_a_scripted_answer_comes_once(influx: Influx, database: str) -> None:
    with serving(DIALECTS[1], influx, database, faults.busy(429, "7"), faults.slow) as server:
        reply = post(server)
        assert (reply.status, reply.headers["Retry-After"]) == (429, "7")
        assert kept(influx, database) == 0
        assert [post(server).status, post(server).status] == [204, 204]
        assert [request.status for request in server.writes] == [429, 204, 204]
