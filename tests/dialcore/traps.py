"""What makes a record odd: each function mends one record so that it holds a trap."""

import re
from dataclasses import replace
from decimal import Decimal

from tests.dialcore.call import SPACED
from tests.dialcore.record import Line, Record
from tests.dialcore.world import World

CONTROLS = "\x1b[1m\x00\x01\x0b\x1c"
"""ESC, NUL and others without a short name in JSON; some of them end a line for `str.splitlines`."""
HALF = "\ud83d"
"""Half of a surrogate pair."""
CUT = ">>"

_ESCAPED_CONTROL = re.compile(r"\\u00([01][0-9a-f])")


def plain_line(record: Record) -> Line:
    """The line as Core writes it, without a shipper's envelope."""
    return Line(record.text(), (record,))


def secured(_: World, record: Record) -> Record:
    """The caller's API key is secured: Core logs no body."""
    log = {key: value for key, value in record.log.items() if key != "assembled_response"}
    for side in ("request", "response"):
        log[side] = {key: value for key, value in log[side].items() if key != "body"}
    return replace(record, log=log, messages=0, traps=["secured"])


def cut_request(_: World, record: Record) -> Record:
    """The body of the request was too long for Core: the last message is lost, the model is not."""
    request = record.log["request"]
    body: str = request["body"]
    log = record.log | {"request": request | {"body": body[: body.rindex('"role"')] + CUT}}
    return replace(record, log=log, messages=0, traps=["cut request"])


def cut_response(_: World, record: Record) -> Record:
    """The body of the response was too long for Core; what it put together of a stream may be whole."""
    response = record.log["response"]
    log = record.log | {"response": response | {"body": _cut(response["body"])}}
    return replace(record, log=log, traps=["cut response"])


def cut_both(world: World, record: Record) -> Record:
    """Both the body of the response and what Core put together of it were too long."""
    log = cut_response(world, record).log
    log["assembled_response"] = _cut(log["assembled_response"])
    return replace(record, log=log, traps=["cut response and assembled response"])


def _cut(text: str) -> str:
    return text[: len(text) * 2 // 3] + CUT


def cut_line(record: Record) -> Line:
    """A line was too long for Core: nobody can read it any more."""
    record.traps.append("cut line")
    text = record.text()
    return Line(text[: len(text) * 2 // 3] + CUT, (record,), dead=True)


def raw_controls(record: Record) -> Record:
    """A client or a model wrote control characters into its JSON as they are."""
    log = dict(record.log)
    for side in ("request", "response"):
        log[side] = log[side] | {"body": _unescaped(log[side]["body"])}
    if log.get("assembled_response"):
        log["assembled_response"] = _unescaped(log["assembled_response"])
    return replace(record, log=log, traps=["raw control characters"])


def _unescaped(text: str) -> str:
    return _ESCAPED_CONTROL.sub(lambda match: chr(int(match[1], 16)), text)


def numbers_as(spell: type[str] | type[float], _: World, record: Record) -> Record:
    """Counts come as `22.0` or as text, prices as text."""
    usage = {
        key: value if isinstance(value, dict) else str(value) if isinstance(value, Decimal) else spell(value)
        for key, value in record.log["token_usage"].items()
    }
    return replace(record, log=record.log | {"token_usage": usage}, traps=[f"numbers as {spell.__name__}"])


def other_spelling(_: World, record: Record) -> Record:
    """One build of Core wrote `prompt_token_details`."""
    usage = {
        key.replace("prompt_tokens_details", "prompt_token_details"): value
        for key, value in record.log["token_usage"].items()
    }
    return replace(record, log=record.log | {"token_usage": usage}, traps=["prompt_token_details"])


def unpriced(_: World, record: Record) -> Record:
    """Core knows no price of the deployment; an old one is left standing, and does not count."""
    usage = {key: value for key, value in record.log["token_usage"].items() if key != "price"}
    log = record.log | {"token_usage": usage}
    return replace(record, log=log, price=Decimal(0), deployment_price=Decimal(0), traps=["unpriced"])


def without_token_usage(world: World, record: Record) -> Record:
    """Core counted nothing: the tokens are those that the answer tells, and money is unknown."""
    log = record.log | {"token_usage": world.pick(({}, None))}
    nothing = Decimal(0)
    usage = record.call.told_usage()
    return replace(
        record, log=log, usage=usage, price=nothing, deployment_price=nothing, traps=["no token_usage"]
    )


def with_zone(world: World, record: Record) -> Record:
    """The time says that it is UTC."""
    request = record.log["request"]
    time = request["time"] + world.pick(("Z", "+00:00"))
    return replace(record, log=record.log | {"request": request | {"time": time}}, traps=["time zone"])


def enveloped(key: str, record: Record) -> Line:
    """A shipper wraps the line into its own JSON."""
    record.traps.append(f"envelope, {key}")
    return Line(SPACED({"date": 1772436600.25, key: record.text(), "host": "node-1"}), (record,))


def enveloped_together(records: list[Record]) -> Line:
    """A shipper sends several lines at once."""
    for record in records:
        record.traps.append("envelope, array")
    return Line(SPACED([{"file": "dial.log", "message": one.text()} for one in records]), tuple(records))
