"""No text of a conversation gets out on the way to InfluxDB either, whatever the server does."""

import json
import re
from pathlib import Path

import pytest

from tests.canaries import WORD, Canaries
from tests.delivery import sender
from tests.faults import faults
from tests.faults.dialects import EVERY_REFUSAL
from tests.faults.server import Fault, serving
from tests.influxd import Influx
from tests.support import feed, finish, line, log
from tests.test_delivery import PASSING
from tests.test_delivery_ends import MISCONFIGURED

CANARIES = Canaries()
DATA = b"".join([*CANARIES.good_lines(), *CANARIES.dead_lines()])
TWO = EVERY_REFUSAL[1]
AWAY: dict[str, Fault] = {name: make() for name, make in PASSING.items() if name != "slow"} | MISCONFIGURED


def check_silent(*outputs: bytes | str) -> None:
    for output in outputs:
        text = output if isinstance(output, str) else output.decode()
        assert re.findall(f"(?i).{{0,60}}{WORD[3:]}.{{0,30}}", text)[:5] == []


@pytest.mark.parametrize("number", range(len(EVERY_REFUSAL)))
def test_refused_records_are_silent(number: int, influx: Influx, database: str, tmp_path: Path) -> None:
    """The server refuses some points, in its own words, which may repeat the point."""
    with serving(EVERY_REFUSAL[number], influx, database) as server:
        server.bad = lambda line: sum(line) % 31 == 0
        program = sender(server, tmp_path, "--batch-lines", "10000", "--max-delay", "3600")
        done = program.send(DATA)
        assert done.code == 0, done.err
        sent = [point for write in server.writes for point in write.lines]
    assert len(sent) > 300
    assert "rejected" in program.letters_text
    check_silent(done.err, program.log_file.read_bytes(), program.letters_text, *sent)


@pytest.mark.parametrize("name", AWAY)
def test_undelivered_records_are_silent(name: str, influx: Influx, database: str, tmp_path: Path) -> None:
    with serving(TWO, influx, database, *[AWAY[name]] * 1000) as server:
        program = sender(
            server, tmp_path, "--retry-time", "0", "--batch-lines", "10000", "--max-delay", "3600"
        )
        done = program.send(DATA)
        assert done.code in {2, 4}, done.err
        sent = [point for write in server.writes for point in write.lines]
    assert "undelivered" in program.letters_text
    check_silent(done.err, program.log_file.read_bytes(), program.letters_text, *sent)


def test_a_stop_and_a_full_disk_are_silent(influx: Influx, database: str, tmp_path: Path) -> None:
    told = []
    with serving(TWO, influx, database, *[faults.hangs] * 1000) as server:
        program = sender(server, tmp_path / "stop", "--influx-timeout", "60", "--drain-time", "1")
        process = program.start()
        feed(process, DATA[: DATA.index(b"\n", 100_000) + 1])
        process.terminate()
        told.append(finish(process).err + program.log_file.read_text() + program.letters_text)
        assert "undelivered" in program.letters_text
        program = sender(server, tmp_path / "full", "--retry-time", "0", "--dead-letter-max", "3000")
        done = program.send(DATA)
        told.append(done.err + program.log_file.read_text() + program.letters_text)
    assert (done.code, "no letter for dead records" in told[1]) == (1, True)
    check_silent(*told)


def test_with_content_only_the_letters_hold_it(influx: Influx, database: str, tmp_path: Path) -> None:
    data = b"".join(CANARIES.good_lines())
    with serving(TWO, influx, database, *[faults.busy(503)] * 1000) as server:
        options = (
            "--retry-time",
            "0",
            "--batch-lines",
            "10000",
            "--max-delay",
            "3600",
            "--dead-letter-content",
        )
        program = sender(server, tmp_path, *options)
        done = program.send(data)
        assert done.code == 4
    check_silent(done.err, program.log_file.read_bytes())
    undelivered = [letter for letter in program.letters if letter["code"] == "undelivered"]
    assert undelivered
    assert all(WORD in letter["content"] for letter in undelivered)
    check_silent(*(json.dumps(letter["points"]) for letter in undelivered))


def test_the_canaries_can_be_heard(influx: Influx, database: str, tmp_path: Path) -> None:
    """What a column shows is shown: else silence would prove nothing."""
    record = log("/v1/toolset/gpt/mcp", {"method": "tools/call", "params": {"name": WORD}})
    with serving(TWO, influx, database) as server:
        assert sender(server, tmp_path).send(line(record)).code == 0
        (write,) = server.writes
    with pytest.raises(AssertionError):
        check_silent(*write.lines)
