"""One record of Core's log, made from a call; and the line that holds it."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

from tests.dialcore.call import Call, Usage
from tests.dialcore.escaping import Escape, escape_new, escape_old, written
from tests.dialcore.world import Caller, World, written_time

TWO_YEARS = 2 * 366 * 86_400_000


class Era(Enum):
    """Which Core wrote a line."""

    EARLY = "early 2024"
    OLD = "2024 and 2025"
    NEW = "2026"


@dataclass(slots=True, frozen=True)
class Span:
    """Where a call stands in its tree."""

    trace: str
    id: str
    parent: str
    """Core's span of the caller; empty at the root."""
    path: tuple[str, ...]
    """Deployments from the root to this call."""


@dataclass(slots=True)
class Record:
    """A log record, and what its point has to say."""

    log: dict[str, Any]
    call: Call
    escape: Escape
    root: bool
    usage: Usage
    """Tokens of the point, those of the subtree included."""
    price: Decimal
    deployment_price: Decimal
    messages: int
    traps: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Write the record as Core does."""
        return written(self.log, self.escape)


@dataclass(slots=True, frozen=True)
class Line:
    """A physical line and what it holds."""

    text: str
    records: tuple[Record, ...]
    dead: bool = False


def root_span(world: World, deployment: str) -> Span:
    """Begin a trace."""
    return Span(world.hex(32), world.hex(16), "", (deployment,))


def record(
    world: World,
    caller: Caller,
    call: Call,
    *,
    era: Era | None = None,
    span: Span | None = None,
    time: int | None = None,
    subtree: Usage | None = None,
) -> Record:
    """Log a call. What is not given is drawn: a call without a span is a tree by itself."""
    era = era or world.pick((Era.OLD, Era.NEW, Era.NEW))
    span = span or root_span(world, call.deployment)
    time = world.wait() if time is None else time
    total = call.usage + subtree if subtree else call.usage
    priced = era is not Era.EARLY and total.counted
    log: dict[str, Any] = {"apiType": "DialOpenAI"}
    _put_id(world, log, "chat", {"id": caller.chat})
    _put_id(world, log, "project", {"id": caller.project})
    log["user"] = {"id": caller.user}
    _put(world, log["user"], "title", caller.title)
    if era is Era.NEW and caller.personal:
        log |= _personal(caller)
    if era is not Era.EARLY:
        log |= _modern(world, call, era, span, total)
    log["request"] = {
        "protocol": "HTTP/1.1",
        "method": call.method,
        "uri": call.uri,
        "time": written_time(time - TWO_YEARS if era is Era.EARLY else time),
        "body": call.request,
    }
    log["response"] = {"status": str(call.status), "upstream_uri": call.upstream, "body": call.response}
    return Record(
        log,
        call,
        escape_new if era is Era.NEW else escape_old,
        root=len(span.path) == 1,
        usage=total if era is not Era.EARLY else call.told_usage(),
        price=total.cost if priced else Decimal(0),
        deployment_price=call.usage.cost if priced else Decimal(0),
        messages=call.messages,
    )


def _modern(world: World, call: Call, era: Era, span: Span, total: Usage) -> dict[str, Any]:
    """What Core logs since it knows trees and prices."""
    log: dict[str, Any] = {}
    if total.counted:
        log["token_usage"] = total.as_token_usage(own=call.usage.cost)
    log["deployment"] = call.deployment
    _put(world, log, "parent_deployment", span.path[-2] if len(span.path) > 1 else "")
    if not call.background:
        log["execution_path"] = list(span.path)
    if era is Era.NEW:
        log["operation_duration_ms"] = world.between((20, 9000))
    _put(world, log, "assembled_response", call.assembled)
    log["trace"] = {"trace_id": span.trace, "core_span_id": span.id}
    _put(world, log["trace"], "core_parent_span_id", span.parent)
    return log


def _personal(caller: Caller) -> dict[str, Any]:
    number = int(caller.user[:4], 16)
    return {
        "claims": {
            "user_id": caller.user,
            "roles": ["default", "analyst"],
            "user_display_name": f"User {number}",
            "user_email": f"user{number}@example.com",
        },
        "headers": {"Content-Type": "application/json", "X-CONVERSATION-ID": caller.chat},
    }


def _put(world: World, log: dict[str, Any], key: str, value: str) -> None:
    """Set a value; an unknown one is left out, null or empty, as the versions of Core have it."""
    if value:
        log[key] = value
    elif world.chance(0.6):
        log[key] = world.pick(("", None))


def _put_id(world: World, log: dict[str, Any], key: str, value: dict[str, str]) -> None:
    """Set an object with an id; most versions of Core write it even when the id is empty."""
    log[key] = value if value["id"] or world.chance(0.6) else world.pick(({}, {"id": None}, None))
