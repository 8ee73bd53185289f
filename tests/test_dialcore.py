"""The log generator: it repeats itself exactly, and its sample holds every trap."""

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.dialcore import Generator
from tests.dialcore.prose import SENTENCES

DATA = Path(__file__).parent / "data"
SAMPLE = DATA / "sample.log"
TOTALS = json.loads((DATA / "sample.totals.json").read_text("utf-8"))
ENVELOPES = ("message", "log", "exec")
CONTROL = re.compile(rb"[\x00-\x1f]")


def sample_lines() -> list[bytes]:
    return SAMPLE.read_bytes().split(b"\n")[:-1]


def unwrapped(value: Any) -> Iterator[dict[str, Any]]:
    """The records of a line, whatever a shipper wrapped around them."""
    if isinstance(value, list):
        for item in value:
            yield from unwrapped(item)
        return
    inner = next((value[key] for key in ENVELOPES if key in value), None)
    if inner is None:
        yield value
    else:
        yield from unwrapped(json.loads(inner, strict=False))


def sample_records() -> list[dict[str, Any]]:
    lines = [line for line in sample_lines() if not line.endswith(b">>")]
    return [record for line in lines for record in unwrapped(json.loads(line, strict=False))]


def test_the_sample_is_what_the_generator_writes() -> None:
    generator = Generator(1)
    written = b"".join(generator.lines(TOTALS["lines"]))
    repeat = "python -m tests.dialcore --totals tests/data/sample.totals.json > tests/data/sample.log"
    assert written == SAMPLE.read_bytes(), f"if that is intended: {repeat}"
    assert json.loads(generator.totals.to_json()) == TOTALS


@pytest.mark.parametrize("shape", ["sample", "production"])
def test_a_seed_always_gives_the_same_bytes(shape: str) -> None:
    first, second, other = (list(Generator(seed, shape).lines(60)) for seed in (7, 7, 8))
    assert first == second
    assert first != other


@pytest.mark.parametrize("seed", range(4))
def test_the_money_is_the_same_told_by_deployments_and_told_by_roots(seed: int) -> None:
    generator = Generator(seed)
    lines = list(generator.lines(300))
    totals = generator.totals
    assert len(lines) == totals.lines == 300
    assert totals.deployment_price == totals.root_price > Decimal(0)
    assert sum(totals.kinds.values()) == totals.records


def test_only_raw_control_characters_and_cuts_make_a_line_unreadable() -> None:
    strange = cut = 0
    for line in sample_lines():
        if line.endswith(b">>"):
            cut += 1
            with pytest.raises(json.JSONDecodeError):
                json.loads(line, strict=False)
        elif CONTROL.search(line):
            strange += 1
            with pytest.raises(orjson.JSONDecodeError):
                orjson.loads(line)
            json.loads(line, strict=False)
        else:
            orjson.loads(line)
    assert strange == TOTALS["raw_control_lines"] > 0
    assert cut == TOTALS["dead"] > 0


def test_the_sample_is_small_and_names_no_one() -> None:
    text = SAMPLE.read_text("utf-8")
    assert SAMPLE.stat().st_size < 600_000
    assert set(re.findall(r"@([\w.]+)", text)) <= {"example.com"}
    assert len(SENTENCES) >= 12


def body(record: dict[str, Any]) -> str:
    return record["request"].get("body") or ""


def answer(record: dict[str, Any]) -> str:
    return record["response"].get("body") or ""


def usage(record: dict[str, Any]) -> dict[str, Any]:
    return record.get("token_usage") or {}


def path_of(record: dict[str, Any]) -> str:
    return str(record["request"]["uri"])


TRAPS: dict[str, Callable[[dict[str, Any]], object]] = {
    "raw control characters in an inner text": lambda r: "\x1b" in body(r) and "\0" in answer(r),
    "raw control characters in a title": lambda r: "\x0b" in (r["user"].get("title") or ""),
    "secured": lambda r: r.get("token_usage") and "body" not in r["request"] and "body" not in r["response"],
    "cut request": lambda r: body(r).endswith(">>"),
    "cut response": lambda r: answer(r).endswith(">>"),
    "cut assembled response": lambda r: (r.get("assembled_response") or "").endswith(">>"),
    "empty chat id": lambda r: (r["chat"] or {}).get("id") == "",
    "absent chat id": lambda r: "id" not in (r["chat"] or {}),
    "empty parent": lambda r: r.get("parent_deployment") == "",
    "absent parent": lambda r: "deployment" in r and "parent_deployment" not in r,
    "null parent": lambda r: "parent_deployment" in r and r["parent_deployment"] is None,
    "early 2024": lambda r: set(r) == {"apiType", "chat", "project", "user", "request", "response"},
    "early 2024, streamed": lambda r: "trace" not in r and "data:" in answer(r)[:40],
    "claims and headers": lambda r: r.get("claims") and r.get("headers"),
    "time without a fraction": lambda r: re.fullmatch(r"[\dT:-]{19}", r["request"]["time"]),
    "time with milliseconds": lambda r: re.fullmatch(r"[\dT:-]{19}\.\d{3}", r["request"]["time"]),
    "time with a zone": lambda r: r["request"]["time"].endswith(("Z", "+00:00")),
    "background": lambda r: path_of(r) == "/openai/v1/responses" and "execution_path" not in r,
    "refused": lambda r: r["response"]["status"] == "429",
    "broken": lambda r: r["response"]["status"] in ("500", "502"),
    "counts as floats": lambda r: isinstance(usage(r).get("prompt_tokens"), float),
    "counts as text": lambda r: isinstance(usage(r).get("prompt_tokens"), str),
    "empty token_usage": lambda r: r.get("token_usage", 0) in ({}, None),
    "one build's spelling": lambda r: "prompt_token_details" in usage(r),
    "cached tokens": lambda r: "cache_write_tokens" in usage(r).get("prompt_tokens_details", {}),
    "unpriced": lambda r: usage(r) and "price" not in usage(r),
    "price of a subtree": lambda r: (
        Decimal(str(usage(r).get("price", 0))) > usage(r).get("deployment_price", 0)
    ),
    "half of a surrogate pair": lambda r: re.search(r"\\ud83d(?!\\ude)", body(r)),
    "slash in a deployment": lambda r: "/" in r.get("deployment", ""),
    "escaped deployment": lambda r: "%" in path_of(r),
    "double slash": lambda r: path_of(r).startswith("//"),
    "batch of calls": lambda r: path_of(r).endswith("/mcp") and body(r).startswith("["),
    "delta for message": lambda r: '"delta"' in (r.get("assembled_response") or ""),
    "statistics by model": lambda r: "usage_per_model" in answer(r),
    "carriage returns in a stream": lambda r: "data:" in answer(r)[:40] and "\r\n" in answer(r),
    "no space in a stream": lambda r: re.search(r"^data:\{", answer(r), re.MULTILINE),
    "comment in a stream": lambda r: answer(r).startswith(":"),
}


@pytest.mark.parametrize("name", TRAPS)
def test_the_sample_holds_the_trap(name: str) -> None:
    assert any(TRAPS[name](record) for record in sample_records())


def test_the_sample_holds_every_envelope() -> None:
    values = [
        orjson.loads(line) for line in sample_lines() if not CONTROL.search(line) and line[-1:] in b"}]"
    ]
    assert any(isinstance(value, list) and len(value) > 1 for value in values)
    for key in ENVELOPES:
        assert any(isinstance(value, dict) and key in value for value in values)


def test_the_sample_holds_requests_of_one_millisecond() -> None:
    seen = [(r["user"]["id"], r["request"]["time"], path_of(r)) for r in sample_records()]
    assert len(set(seen)) < len(seen)
