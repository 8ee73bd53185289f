"""The parts of the way to InfluxDB, each alone: targets, answers, deliveries, patience, the sink."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import PoolManager
from urllib3.exceptions import ConnectTimeoutError

from dial_enricher.errors import Code, SettingError
from dial_enricher.event import Event, Exchange, Fault, Line, Log
from dial_enricher.signals import Stop
from dial_enricher.sinks.influx import fates
from dial_enricher.sinks.influx.deadline import deadline, watch
from dial_enricher.sinks.influx.delivery import MOST_BYTES, MOST_LINES, Delivery, Outcome
from dial_enricher.sinks.influx.fates import DISTRUSTED, FATES, NO_ANSWER, Answer, Fate
from dial_enricher.sinks.influx.patience import Patience, backoff
from dial_enricher.sinks.influx.server import Server, told_version
from dial_enricher.sinks.influx.sink import InfluxSink
from dial_enricher.sinks.influx.target import Target, Version, read_target, route

URL = "http://localhost:8086"
SECRET = "s3cret"


def answer(status: int, body: object = b"", **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, raw, {name.replace("_", "-"): value for name, value in headers.items()})


class TestTarget:
    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            ({}, "INFLUX_URL"),
            ({"INFLUX_URL": URL}, "INFLUX_DATABASE"),
            ({"INFLUX_URL": "localhost:8086", "INFLUX_DATABASE": "d"}, "http://HOST:PORT"),
            ({"INFLUX_URL": "ftp://localhost", "INFLUX_DATABASE": "d"}, "http://HOST:PORT"),
            ({"INFLUX_URL": "http://h:99999999", "INFLUX_DATABASE": "d"}, "INFLUX_URL"),
            ({"INFLUX_URL": f"http://u:{SECRET}@h", "INFLUX_DATABASE": "d"}, "must hold no password"),
            ({"INFLUX_URL": f"{URL}?p={SECRET}", "INFLUX_DATABASE": "d"}, "without query"),
            ({"INFLUX_URL": URL, "INFLUX_DATABASE": "d", "INFLUX_USERNAME": "u"}, "INFLUX_PASSWORD"),
            ({"INFLUX_URL": URL, "INFLUX_DATABASE": "d", "INFLUX_PASSWORD": SECRET}, "INFLUX_USERNAME"),
            ({"INFLUX_URL": URL, "INFLUX_DATABASE": "d", "INFLUX_API_TOKEN": f"{SECRET}\nx"}, "control"),
            ({"INFLUX_URL": URL, "INFLUX_DATABASE": "d", "INFLUX_API_TOKEN": f"{SECRET}ü"}, "no token has"),
        ],
    )
    def test_what_cannot_work_is_refused_without_telling_secrets(
        self, settings: dict[str, str], said: str
    ) -> None:
        with pytest.raises(SettingError, match=said) as refusal:
            read_target(settings)
        assert SECRET not in str(refusal.value)

    @pytest.mark.parametrize(
        ("version", "settings", "said"),
        [
            (Version.ONE, {"org": "o", "bucket": "b"}, "INFLUX_DATABASE"),
            (Version.TWO, {"database": "d"}, "INFLUX_ORG and INFLUX_BUCKET"),
            (Version.TWO, {"bucket": "b"}, "needs INFLUX_ORG"),
        ],
    )
    def test_a_version_that_is_named_needs_its_settings(
        self, version: Version, settings: dict[str, Any], said: str
    ) -> None:
        with pytest.raises(SettingError, match=said):
            Target(URL, version=version, **settings)

    def test_each_version_is_written_to_in_its_own_way(self) -> None:
        target = Target(URL, "o", "b", "d", SECRET, "u", "p")
        one, two, three = (route(target, version) for version in Version)
        assert (one.path, dict(one.query)) == ("/write", {"db": "d", "precision": "ns"})
        assert (two.path, dict(two.query)) == (
            "/api/v2/write",
            {"org": "o", "bucket": "b", "precision": "ns"},
        )
        assert (three.path, dict(three.query)) == (
            "/api/v3/write_lp",
            {"db": "d", "precision": "nanosecond"},
        )
        assert (one.authorization, two.authorization) == ("Basic dTpw", f"Token {SECRET}")
        assert three.authorization == f"Bearer {SECRET}"

    def test_nothing_that_shows_a_target_shows_its_secrets(self) -> None:
        target = Target(URL, "o", "b", "d", SECRET, "u", SECRET)
        assert SECRET not in repr(target)
        assert all(SECRET not in repr(route(target, version)) for version in Version)

    def test_a_token_from_a_file(self, tmp_path: Path) -> None:
        file = tmp_path / "token"
        settings = {"INFLUX_URL": URL, "INFLUX_DATABASE": "d", "INFLUX_API_TOKEN": "other"}
        file.write_text(f"  {SECRET}\n")
        assert read_target(settings, token_file=file).token == SECRET
        for content in (b"", b"\n", b"\xff\xfe"):
            file.write_bytes(content)
            with pytest.raises(SettingError, match="token file"):
                read_target(settings, token_file=file)

    def test_a_file_without_certificates_is_refused_at_the_start(self, tmp_path: Path) -> None:
        file = tmp_path / "ca.pem"
        file.write_text("nothing")
        with pytest.raises(SettingError, match="--influx-ca"):
            Server(Target(URL, database="d", ca=file))


class TestVersion:
    @pytest.mark.parametrize(
        ("told", "version"),
        [
            (answer(204, x_influxdb_version="1.6.7~rc0"), "1.6.7~rc0"),
            (answer(204, x_influxdb_version="v2.7.11"), "2.7.11"),
            (answer(200, {"version": "3.4.1", "revision": "x"}), "3.4.1"),
            (answer(200, {"name": "influxdb", "status": "pass", "version": "v2.7.1"}), "2.7.1"),
            (answer(200, b"OK"), ""),
            (answer(200, [1]), ""),
            (answer(200, {"version": None}), ""),
            (answer(404, b"<html>"), ""),
            (answer(204, x_influxdb_version="cloud"), ""),
        ],
    )
    def test_what_a_server_tells(self, told: Answer, version: str) -> None:
        assert told_version(told) == version


class TestFates:
    @pytest.mark.parametrize(
        ("status", "fate"),
        [
            (NO_ANSWER, Fate.AWAY),
            (DISTRUSTED, Fate.MISCONFIGURED),
            (200, Fate.MISCONFIGURED),
            (204, Fate.STORED),
            (301, Fate.MISCONFIGURED),
            (400, Fate.REFUSED),
            (401, Fate.MISCONFIGURED),
            (403, Fate.MISCONFIGURED),
            (404, Fate.MISCONFIGURED),
            (405, Fate.MISCONFIGURED),
            (408, Fate.AWAY),
            (413, Fate.TOO_LARGE),
            (415, Fate.MISCONFIGURED),
            (422, Fate.REFUSED),
            (425, Fate.AWAY),
            (429, Fate.AWAY),
            (500, Fate.AWAY),
            (501, Fate.MISCONFIGURED),
            (502, Fate.AWAY),
            (503, Fate.AWAY),
            (504, Fate.AWAY),
            (599, Fate.AWAY),
        ],
    )
    def test_every_status_has_its_fate(self, status: int, fate: Fate) -> None:
        assert fates.fate(answer(status, {"error": "in InfluxDB's form"})) is fate

    def test_every_row_of_the_table_is_tested_above(self) -> None:
        (tested,) = self.test_every_status_has_its_fate.pytestmark  # type: ignore[attr-defined]
        assert set(FATES) <= {status for status, _ in tested.args[1]}

    @pytest.mark.parametrize("status", [400, 422])
    @pytest.mark.parametrize(
        "body", [b"", b"Client sent an HTTP request to an HTTPS server.\n", b"<html>", b"[1]"]
    )
    def test_a_refusal_that_is_not_influxdbs_is_about_a_setting(self, status: int, body: bytes) -> None:
        """Else every record would die of it, one by one."""
        assert fates.fate(Answer(status, body)) is Fate.MISCONFIGURED
        assert fates.fate(Answer(status, body, {"x-influxdb-error": "unable to parse"})) is Fate.REFUSED

    @pytest.mark.parametrize(
        ("said", "count"),
        [
            ("partial write: field type conflict dropped=3", 3),
            ("partial write: ... dropped=12\n", 12),
            ('max-values exceeded: value="dropped=2" dropped=1', 1),
            ('unable to parse: tag="dropped=2"', 0),
            ("dropped=2 points", 0),
            ("", 0),
        ],
    )
    def test_how_many_were_dropped_stands_at_the_end(self, said: str, count: int) -> None:
        """Before it, the words may quote what a client wrote."""
        assert fates.dropped(answer(400, {"error": said})) == count

    @pytest.mark.parametrize("status", [400, 422, 500])
    @pytest.mark.parametrize(
        "said",
        [
            "partial write: points beyond retention policy dropped=2",
            "failure writing points to database: partial write: points beyond retention policy dropped=1",
            "write outside of retention period",
            "point violates the bucket's retention rule",
        ],
    )
    def test_beyond_retention_is_a_refusal(self, status: int, said: str) -> None:
        assert fates.fate(answer(status, {"message": said})) is Fate.REFUSED
        assert fates.fate(answer(status, {"error": said})) is Fate.REFUSED

    @pytest.mark.parametrize(
        ("told", "words"),
        [
            (answer(400, {"code": "invalid", "message": "no\nsense\t!"}), "no sense !"),
            (answer(404, {"error": 'database not found: "x"'}), 'database not found: "x"'),
            (answer(500, b"plain words\n"), "plain words"),
            (answer(500, b"<html>login</html>"), "500 Internal Server Error, a web page"),
            (answer(500, b"x", content_type="text/html"), "500 Internal Server Error, a web page"),
            (answer(500, b"\xff\x00\xfe"), "500 Internal Server Error"),
            (answer(500, [1, 2]), "[1, 2]"),
            (answer(400, b"", x_influxdb_error="unable"), "unable"),
            (answer(599), "599"),
            (answer(400, {"message": "x" * 5000 + "why"}), "x" * 100 + " ... " + "x" * 197 + "why"),
            (
                answer(400, {"error": "parsing failed", "data": {"error_message": "why"}}),
                "parsing failed: why",
            ),
            (Answer(NO_ANSWER, trouble="connection refused"), "connection refused"),
        ],
    )
    def test_the_words_of_a_server_are_one_short_line(self, told: Answer, words: str) -> None:
        assert fates.words(told) == words

    @pytest.mark.parametrize(
        ("data", "named"),
        [
            ([{"line_number": 2, "error_message": "bad"}], {1: "bad"}),
            ([{"line_number": 1, "error_message": None}], {0: "partial write"}),
            ([{"line_number": 4, "error_message": "bad"}], {}),
            ([{"line_number": 0}], {}),
            ([{"line_number": "1"}], {}),
            (["line 1"], {}),
            ({"line_number": 1}, {}),
            (None, {}),
        ],
    )
    def test_the_lines_that_version_3_names(self, data: object, named: dict[int, str]) -> None:
        assert fates.refused_lines(answer(400, {"error": "partial write", "data": data}), 3) == named

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("7", 7),
            (" 7 ", 7),
            ("86400", 300),
            ("0", 0),
            ("-3", 0),
            ("1.5", 0),
            ("soon", 0),
            ("", 0),
            ("²", 0),
            ("Fri, 20 Nov 2026 12:00:30 GMT", 30),
            ("Fri, 20 Nov 2026 12:00:30", 30),
            ("Fri, 20 Nov 2026 11:00:00 GMT", 0),
            ("Sat, 21 Nov 2026 12:00:00 GMT", 300),
            ("Fri, 20 Nov 99999999999999999999 12:00:30 GMT", 0),
        ],
    )
    def test_retry_after_as_seconds_or_as_a_date(self, value: str, seconds: float) -> None:
        now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        assert fates.retry_after(answer(503, retry_after=value), now) == seconds


class Obliging(Patience):
    """A patience that never ends and never waits."""

    def __init__(self) -> None:
        super().__init__(None, Stop())
        self.waited: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return True


class Model:
    """A server that does as some version does with bad lines, and has troubles by a plan."""

    def __init__(
        self, bad: set[bytes], version: str = "2", most: int = 10**9, troubles: Iterable[int] = ()
    ) -> None:
        self.bad = bad
        self.version = version
        self.most = most
        self.troubles = iter(troubles)
        self.stored: set[bytes] = set()
        self.requests = 0

    def write(self, lines: bytes) -> Answer:
        self.requests += 1
        sent = lines.splitlines(keepends=True)
        assert sent
        assert len(sent) <= MOST_LINES and (len(lines) <= MOST_BYTES or len(sent) == 1)
        if trouble := next(self.troubles, 0):
            if trouble < 0:  # all is stored, and the answer lost
                self.stored |= set(sent) - self.bad
                return Answer(NO_ANSWER, trouble="lost")
            return answer(trouble, {"message": "trouble"})
        if len(lines) > self.most:
            return answer(413, {"error": "too large"})
        bad = [number for number, line in enumerate(sent, 1) if line in self.bad]
        if not bad or self.version != "2":
            self.stored |= set(sent) - self.bad
        if not bad:
            return answer(204)
        if self.version == "1":
            return answer(400, {"error": f"partial write: conflict dropped={len(bad)}"})
        named = [{"line_number": number, "error_message": f"bad {number}"} for number in bad]
        return answer(400, {"message": "bad lines"} | ({"data": named} if self.version == "3" else {}))


def lines(count: int, measurements: int = 1) -> list[bytes]:
    return [b"m%d,n=%d f=1 %d\n" % (number % measurements, number, number) for number in range(count)]


def delivered(server: Model, package: list[bytes], patience: Patience | None = None) -> Outcome:
    outcome = Outcome.open(len(package))
    Delivery(server, patience or Obliging()).deliver(package, outcome)
    return outcome


class TestDelivery:
    @given(
        count=st.integers(0, 60),
        bad=st.sets(st.integers(0, 59)),
        version=st.sampled_from("123"),
        most=st.sampled_from([16, 30, 100, 10**9]),
        troubles=st.lists(st.sampled_from([0, -1, 429, 500, 503, 408]), max_size=20),
        measurements=st.integers(1, 3),
    )
    def test_every_good_line_is_stored_and_every_bad_one_refused(
        self, count: int, bad: set[int], version: str, most: int, troubles: list[int], measurements: int
    ) -> None:
        package = lines(count, measurements)
        too_large = {number for number, line in enumerate(package) if len(line) > most}
        unwanted = {number for number in bad if number < count}
        server = Model({package[number] for number in unwanted}, version, most, troubles)
        outcome = delivered(server, package)
        assert set(outcome.refused) == unwanted | too_large
        assert (outcome.undelivered, outcome.trouble, outcome.misconfigured) == (set(), "", False)
        assert server.stored == set(package) - {package[number] for number in outcome.refused}
        assert all(outcome.refused.values())

    @pytest.mark.parametrize(("version", "most"), [("1", 80), ("2", 80), ("3", 2)])
    def test_few_bad_lines_cost_few_requests(self, version: str, most: int) -> None:
        package = lines(4000)
        server = Model({package[number] for number in (5, 1700, 3999)}, version)
        assert len(delivered(server, package).refused) == 3
        assert server.requests <= most

    def test_a_measurement_that_is_refused_whole_costs_few_requests(self) -> None:
        package = lines(3000, measurements=3)
        server = Model({line for line in package if line.startswith(b"m1,")}, "1")
        assert len(delivered(server, package).refused) == 1000
        assert server.requests <= 50

    def test_requests_are_bounded_by_lines_and_by_bytes(self) -> None:
        for package in (lines(MOST_LINES * 2 + 1), [b"x" * 2_000_000 + b"\n"] * 5, [b"y" * MOST_BYTES * 2]):
            server = Model(set())  # which looks at the bounds
            assert delivered(server, package) == Outcome()
            assert server.requests == 3 if len(package) > 1 else 1

    def test_retry_after_wins_over_a_shorter_backoff_and_not_over_a_longer_one(self) -> None:
        class Busy(Model):
            def write(self, lines: bytes) -> Answer:
                self.requests += 1
                return answer(204) if self.requests > 12 else answer(429, retry_after="3")

        patience = Obliging()
        delivered(Busy(set()), lines(1), patience)
        assert patience.waited[:3] == [3, 3, 3]
        assert len(patience.waited) == 12
        assert min(patience.waited[-3:]) >= 15

    @pytest.mark.parametrize("status", [401, 403, 404, 302, 200])
    def test_a_wrong_setting_ends_it_at_once(self, status: int) -> None:
        server = Model(set(), troubles=[status])
        outcome = delivered(server, lines(9))
        assert outcome.misconfigured
        assert outcome.trouble == f"trouble (HTTP {status})"
        assert (len(outcome.undelivered), server.requests) == (9, 1)

    def test_what_was_settled_before_the_patience_ended_stays_settled(self) -> None:
        package = lines(8)
        server = Model({package[0]}, "2", troubles=[0, 0, 0, 0, 0, *[503] * 99])
        outcome = delivered(server, package, Patience(0, Stop()))
        assert set(outcome.refused) == {0}
        assert outcome.undelivered == {
            number for number in range(8) if package[number] not in server.stored
        } - {0}
        assert outcome.undelivered
        assert outcome.trouble == "trouble"


class Hasty(dict[int, str]):
    """Refused lines, one more of which becomes known in the middle of a copy."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self._outcome = outcome

    def copy(self) -> dict[int, str]:
        self._outcome.undelivered.discard(0)
        self[0] = "no"
        return dict(self)


def test_a_line_that_is_refused_while_the_outcome_is_copied_is_not_lost() -> None:
    outcome = Outcome.open(2)
    outcome.refused = Hasty(outcome)
    copy = outcome.so_far("away")
    assert (copy.undelivered, copy.refused) == ({1}, {0: "no"})


def test_a_connection_that_comes_after_the_deadline_is_not_used() -> None:
    """There was nothing to cut when it passed, and nobody would cut it later."""
    pools = PoolManager(retries=False)
    watch(pools)
    with socket.create_server(("127.0.0.1", 0)) as silent, deadline(0) as limit:
        while not limit.passed:
            time.sleep(0.001)
        with pytest.raises(ConnectTimeoutError, match="connected too late"):
            pools.request("GET", f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=60)


class TestPatience:
    def test_waits_double_with_jitter_and_have_an_end(self) -> None:
        for attempt, longest in enumerate((0.25, 0.5, 1, 2, 4, 8, 16, 30, 30)):
            waits = {backoff(attempt) for _ in range(100)}
            assert longest / 2 <= min(waits) < max(waits) <= longest
        assert backoff(10**6) <= 30

    def test_it_ends_with_the_retry_time(self) -> None:
        patience = Patience(0.2, Stop())
        patience.failed("away")
        assert patience.wait(60)  # no longer than the retry time, and then once more
        assert not patience.wait(60)

    def test_success_begins_it_anew(self) -> None:
        patience = Patience(0.1, Stop())
        patience.failed("away")
        patience.wait(60)
        patience.succeeded()
        assert patience.trouble == ""
        patience.failed("away again")
        assert patience.wait(60)

    def test_it_ends_with_the_time_for_stopping(self) -> None:
        stop = Stop()
        patience = Patience(None, stop)
        patience.failed("away")
        stop.because("a test", misconfigured=True)
        assert not patience.wait(60)


class Held:
    """A delivery that waits until it is let go."""

    def __init__(self) -> None:
        self.patience = Obliging()
        self.packages: list[list[bytes]] = []
        self.let_go = threading.Event()
        self.settle: Callable[[Outcome], None] = lambda outcome: outcome.undelivered.clear()

    def deliver(self, lines: list[bytes], outcome: Outcome) -> None:
        self.packages.append(lines)
        self.let_go.wait(60)
        self.settle(outcome)


def events(count: int, *, size: int = 10) -> list[Event]:
    """Events of one point each, with raw bytes of a size."""
    made = []
    for number, rendered in enumerate(lines(count)):
        raw = b"r" * size
        event = Event(raw, Line(raw, "stdin", number + 1), output=[rendered], measurements=["m"])
        event.log, event.exchange = Log({}, raw, "/"), Exchange("m", {})
        made.append(event)
    return made


def sink(delivery: Held, stop: Stop | None = None, max_age: float = 3600) -> InfluxSink:
    return InfluxSink(delivery, stop or Stop(), max_age)  # type: ignore[arg-type]


class TestSink:
    def test_events_are_settled_when_the_server_has_answered_and_in_input_order(self) -> None:
        held = Held()
        to = sink(held)
        batch = events(3)
        assert to.write(batch) == []
        held.let_go.set()
        assert to.flush() == batch
        assert all(event.written for event in batch)
        assert to.flush() == []

    def test_dead_and_ignored_events_travel_along_and_stay_what_they_are(self) -> None:
        held = Held()
        held.let_go.set()
        to = sink(held)
        batch = events(3)
        batch[0].fault = Fault(Code.INVALID_JSON, "decode", "")
        batch[1].ignored = "blank"
        settled = to.write(batch) + to.flush()
        assert settled == batch
        assert [event.written for event in batch] == [False, False, True]
        assert held.packages == [batch[2].output]

    def test_a_package_without_lines_asks_nobody(self) -> None:
        held = Held()
        to = sink(held)
        batch = events(1)
        batch[0].ignored = "blank"
        assert to.write(batch) + to.flush() == batch
        assert held.packages == []

    @pytest.mark.parametrize(("count", "size", "packages"), [(12_000, 10, 3), (20, 1 << 20, 3)])
    def test_packages_are_bounded_by_lines_and_by_raw_bytes(
        self, count: int, size: int, packages: int
    ) -> None:
        held = Held()
        held.let_go.set()
        to = sink(held)
        batch = events(count, size=size)
        assert to.write(batch) + to.flush() == batch
        assert len(held.packages) == packages
        assert [line for package in held.packages for line in package] == [
            line for event in batch for line in event.output
        ]

    def test_packages_are_bounded_by_events_without_points(self) -> None:
        to = sink(Held())
        batch = events(12_000)
        for event in batch:
            event.ignored = "blank"
        assert len(to.write(batch)) >= 12_000 - 3 * MOST_LINES
        to.flush()

    def test_an_old_package_leaves_by_itself(self) -> None:
        held = Held()
        held.let_go.set()
        to = sink(held, max_age=0)
        to.write(events(1))
        to.write(events(1))
        to.flush()
        assert [len(package) for package in held.packages] == [1, 1]

    def test_two_packages_are_under_way_and_the_third_has_to_wait(self) -> None:
        held = Held()
        to = sink(held, max_age=0)
        batches = [events(1) for _ in range(3)]
        assert to.write(batches[0]) == []
        assert to.write(batches[1]) == []
        assert all(event.log is None for batch in batches[:2] for event in batch), "bodies take room"
        threading.Timer(0.2, held.let_go.set).start()
        assert to.write(batches[2]) == batches[0]
        assert to.flush() == batches[1] + batches[2]

    def test_the_wait_for_the_server_makes_no_package_old(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Slow(Held):
            def deliver(self, lines: list[bytes], outcome: Outcome) -> None:
                super().deliver(lines, outcome)
                if lines is self.packages[0]:
                    clock[0] += 100

        clock, held = [0.0], Slow()
        monkeypatch.setattr(time, "monotonic", lambda: clock[0])
        to = sink(held, max_age=1)
        threading.Timer(0.2, held.let_go.set).start()
        for _ in range(3):
            clock[0] += 1
            to.write(events(1))
            while not held.packages:
                time.sleep(0.01)
        for _ in range(2):
            to.write(events(1))
        to.flush()
        assert [len(package) for package in held.packages] == [1, 1, 1, 2]

    def test_refused_and_undelivered_lines_kill_their_events_alone(self) -> None:
        held = Held()
        held.let_go.set()

        def settle(outcome: Outcome) -> None:
            outcome.stored([0, 2, 4])
            outcome.refuse({1: "no"})
            outcome.trouble = "away"

        held.settle = settle
        to = sink(held)
        batch = events(4)
        batch[0].output *= 2  # its second line is refused
        to.write(batch)
        assert to.flush() == batch
        assert [event.fault and (event.fault.code, event.fault.detail) for event in batch] == [
            (Code.REJECTED, "no"),
            None,
            (Code.UNDELIVERED, "away"),
            None,
        ]
        assert [event.written for event in batch] == [False, True, False, True]

    def test_a_wrong_setting_tells_the_program_to_stop(self) -> None:
        held = Held()
        held.let_go.set()

        def settle(outcome: Outcome) -> None:
            outcome.trouble, outcome.misconfigured = "no such token", True

        held.settle = settle
        stop = Stop()
        to = sink(held, stop)
        to.write(events(1))
        to.flush()
        assert stop.asked and stop.misconfigured
        assert "no such token" in (stop.reason or "")

    def test_a_server_that_hangs_is_left_when_the_time_is_over(self) -> None:
        held, stop = Held(), Stop()
        to = sink(held, stop)
        batch = events(2)
        to.write(batch)
        stop.because("a test", misconfigured=True)
        assert to.flush() == batch
        assert [event.fault.code for event in batch if event.fault] == [Code.UNDELIVERED] * 2
        held.let_go.set()

    def test_what_is_known_of_a_package_when_the_time_is_over_counts(self) -> None:
        class HalfWay(Held):
            def deliver(self, lines: list[bytes], outcome: Outcome) -> None:
                outcome.stored([0])
                outcome.refuse({1: "no"})
                self.half_way.set()
                self.let_go.wait(60)

            half_way = threading.Event()

        held, stop = HalfWay(), Stop()
        to = sink(held, stop, max_age=0)
        batch = events(3)
        to.write(batch)
        assert held.half_way.wait(60)
        stop.because("a test", misconfigured=True)
        assert to.flush() == batch
        codes = [event.fault.code if event.fault else None for event in batch]
        assert codes == [None, Code.REJECTED, Code.UNDELIVERED]
        held.let_go.set()

    def test_a_bug_under_way_loses_nothing_and_stops_the_program(self) -> None:
        def stumble(outcome: Outcome) -> None:
            outcome.stored([0])
            raise ValueError("quotes a text")

        held = Held()
        held.let_go.set()
        held.settle = stumble
        stop, batch = Stop(), events(2)
        to = sink(held, stop)
        to.write(batch)
        assert to.flush() == batch
        assert [event.fault and event.fault.code for event in batch] == [None, Code.UNDELIVERED]
        assert "a bug, please report it: ValueError at test_influx_parts.py" in (stop.reason or "")
        assert "quotes" not in (stop.reason or "")
        assert not stop.misconfigured
