"""What the tests share: the program as a process of its own, and its parts in this one."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import hypothesis
import pytest

from dial_enricher.assemble import assemble
from dial_enricher.batch import Batcher
from dial_enricher.event import Event, Exchange, Fault, Line, Log, Texts
from dial_enricher.inputs.reader import Reader
from dial_enricher.inputs.sources import as_given
from dial_enricher.settings import MODEL_RATES, TOPIC_EMBEDDINGS_MODEL, TOPIC_MODEL, Scope, Settings
from dial_enricher.signals import Stop
from dial_enricher.sinks.deadletter import DeadLetters
from dial_enricher.sinks.influx import target
from dial_enricher.sinks.output import OutputSink
from dial_enricher.stats import Stats

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "tests" / "data" / "sample.log"
SAMPLE_LINES = [line + b"\n" for line in SAMPLE.read_bytes().split(b"\n")[:-1]]
TOTALS: Json = json.loads((ROOT / "tests" / "data" / "sample.totals.json").read_text("utf-8"))

OWN_NAMES = (MODEL_RATES, TOPIC_MODEL, TOPIC_EMBEDDINGS_MODEL, *target.VARIABLES)
"""Variables that do not have the prefix."""
PROGRAM = (sys.executable, "-m", "dial_enricher")
PLAIN = ("--language", "off", "--topics", "off")
PLAIN_SETTINGS = Settings(language=Scope.OFF, topics=Scope.OFF)
PATIENCE = 120.0
"""Seconds until a process counts as hanging. Nothing is asserted about speed."""

hypothesis.settings.register_profile(
    "stable", derandomize=True, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)
hypothesis.settings.register_profile("explore", hypothesis.settings.get_profile("stable"), derandomize=False)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "stable"))


def needed(what: str) -> None:
    """Skips a test for want of something; where everything has to be there (CI), fails it."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is needed")
    pytest.skip(f"{what} is needed")


GOOD_LINES = [line for line in SAMPLE_LINES if not line.endswith(b">>\n")]
"""Those of which none is dead."""


# The program as a process


class Done(NamedTuple):
    code: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[bytes]:
        return self.out.splitlines(keepends=True)


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without any setting of the program, and what is given."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("DIAL_ENRICHER_") and name not in OWN_NAMES
    }
    return kept | {"PYTHONPATH": str(ROOT)} | dict(more or {})


def start(
    *arguments: str | Path,
    env: Mapping[str, str] | None = None,
    program: Sequence[str] = PROGRAM,
    **streams: Any,
) -> subprocess.Popen[bytes]:
    """The program, started; its standard streams are pipes unless something else is given."""
    settings: Json = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | streams
    command = [*program, *map(str, arguments)]
    process: Any = subprocess.Popen(command, env=environment(env), **settings)
    return cast(subprocess.Popen[bytes], process)


def run(*arguments: str | Path, stdin: bytes | IO[bytes] | int = b"", **more: Any) -> Done:
    """The program, run to its end on some bytes, or on an open file."""
    if isinstance(stdin, bytes):
        return finish(start(*arguments, **more), stdin)
    return finish(start(*arguments, stdin=stdin, **more))


def feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    """Writes all of it to the standard input of a process, which has to take it."""
    assert process.stdin is not None
    fd = process.stdin.fileno()
    rest = memoryview(data)
    while rest:
        assert select.select([], [fd], [], PATIENCE)[1], "the process does not read"
        rest = rest[os.write(fd, rest[: select.PIPE_BUF]) :]


def read_some(process: subprocess.Popen[bytes], seconds: float = PATIENCE, most: int = 1 << 20) -> bytes:
    """What a process has written to its standard output by now, or writes next."""
    assert process.stdout is not None
    fd = process.stdout.fileno()
    return os.read(fd, most) if select.select([fd], [], [], seconds)[0] else b""


def finish(process: subprocess.Popen[bytes], stdin: bytes | None = None) -> Done:
    """What a started process has to say until its end, which has to come."""
    try:
        out, err = process.communicate(stdin if process.stdin else None, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Done(process.returncode, out or b"", (err or b"").decode())


def check_refused(done: Done, *names: str, code: int = 2) -> None:
    """The program did not start: one sentence that names what is wrong."""
    assert (done.code, done.out) == (code, b"")
    sentences = [one for one in done.err.splitlines() if one.startswith("Error: ")]
    assert len(sentences) == 1
    assert sentences[0] == done.err.splitlines()[-1]
    assert any(name in sentences[0] for name in names), sentences[0]
    assert "Traceback" not in done.err


# The parts of the program, in this process


class Outcome(NamedTuple):
    out: bytes
    stats: Stats
    faults: list[Fault]

    @property
    def lines(self) -> list[bytes]:
        return self.out.splitlines(keepends=True)


class _Graves(DeadLetters):
    """Dead letters that are written out, content and all, and whose faults are kept to be looked at."""

    def __init__(self) -> None:
        super().__init__(os.devnull, with_content=True)
        self.faults: list[Fault] = []

    def bury(self, events: Sequence[Event]) -> None:
        super().bury(events)
        self.faults += [event.fault for event in events if event.fault]


@contextmanager
def memory(content: bytes = b"") -> Iterator[int]:
    """A file in memory, by its descriptor."""
    fd = os.memfd_create("test")
    try:
        os.write(fd, content)
        os.lseek(fd, 0, os.SEEK_SET)
        yield fd
    finally:
        os.close(fd)


def through(
    data: bytes, settings: Settings = PLAIN_SETTINGS, *, batch_bytes: int = 8 * 1024 * 1024
) -> Outcome:
    """From descriptor to descriptor through the parts that the command line builds."""
    graves = _Graves()
    stop = Stop()
    with memory(data) as source, memory() as target:
        pipeline = assemble(settings, OutputSink(fd=target), graves)
        batcher = Batcher(settings.batch_lines, batch_bytes, settings.max_delay)
        path = f"/proc/self/fd/{source}"
        reader = Reader(as_given([path]), batcher, settings.max_line_bytes, stop)
        pipeline.run(reader.batches())
        out = os.pread(target, os.fstat(target).st_size, 0)
    for fd in (stop.fd, stop._wakeup, graves._fd):
        if fd is not None:
            os.close(fd)
    return Outcome(out, pipeline.stats, graves.faults)


# Log lines


def log(uri: str = "/openai/deployments/gpt/chat/completions", body: Any = None, answer: Any = None) -> Json:
    """A plain log record of a chat, or of another endpoint; bodies are written as JSON texts."""
    return {
        "apiType": "DialOpenAI",
        "chat": {"id": "chat-1"},
        "project": {"id": "project-1"},
        "user": {"id": "hash-1", "title": "Engineer"},
        "token_usage": {
            "prompt_tokens": 22,
            "completion_tokens": 3,
            "deployment_price": 0.25,
            "price": 0.5,
        },
        "deployment": "gpt",
        "parent_deployment": "app",
        "execution_path": ["app", "gpt"],
        "operation_duration_ms": 120,
        "trace": {"trace_id": "t" * 32, "core_span_id": "s" * 16, "core_parent_span_id": "p" * 16},
        "request": {
            "protocol": "HTTP/1.1",
            "method": "POST",
            "uri": uri,
            "time": "2026-03-02T07:30:00.123",
            "body": json.dumps({"model": "gpt"} if body is None else body),
        },
        "response": {
            "status": "200",
            "upstream_uri": "https://upstream.example/gpt",
            "body": json.dumps({"id": "answer-1"} if answer is None else answer),
        },
    }


def changed(record: Json, path: str, value: Any) -> Json:
    """The record with another value at a dotted path."""
    record = deepcopy(record)
    *parents, key = path.split(".")
    inner = record
    for parent in parents:
        inner = inner[parent]
    inner[key] = value
    return record


def reading(read: Callable[[], Texts], chat_id: str | None = "c1") -> Event:
    """An event whose texts are read by a function, as an enricher gets it."""
    understood = Exchange("analytics", {"chat_id": chat_id}, read_texts=read)
    decoded = Log({}, b"", "/openai/deployments/m/chat/completions")
    return Event(b"", Line(b"", "stdin", 1), log=decoded, exchange=understood)


def line(record: Any) -> bytes:
    return json.dumps(record).encode() + b"\n"
