"""Everything that is not an answer of a model: tools, routes, ratings, errors, and what nobody counts."""

from dataclasses import replace
from typing import Any

from tests.dialcore.call import COMPACT, Call, Usage, stream
from tests.dialcore.world import APPLICATIONS, World

TOOLSETS = ("rate-cards", "warehouse", "toolsets/5d0e11c2/weather service")
METHODS = ("tools/call", "tools/list", "initialize", "notifications/initialized")
ROUTES = ("files/upload", "rates", "api/v2/search")
IGNORED = (
    ("GET", "/v1/models"),
    ("GET", "/openai/models"),
    ("GET", "/openai/deployments"),
    ("GET", "/v1/files/7Yh2/report%202026.pdf"),
    ("PUT", "/v1/files/7Yh2/plan.txt"),
    ("GET", "/v1/bucket"),
    ("GET", "/openai/v1/responses/resp_0c9d"),
    ("POST", "/openai/v2/responses"),
    ("POST", "/openai/deployments/gpt-4o/completions"),
    ("POST", "/anthropic/v1/messages/count_tokens"),
    ("POST", "/v1/toolsets/warehouse/mcp"),
    ("POST", "/v1/deployment/helpdesk/mcp"),
    ("POST", "/v1/deployments/helpdesk/routes/search"),
)


def mcp(world: World, *, toolset: str = "", method: str = "") -> Call:
    """Talk to a tool server: one message, or a JSON-RPC batch with the method `batch`."""
    toolset = toolset or world.pick(TOOLSETS)
    method = method or world.pick(METHODS)
    if method == "batch":
        calls = [_rpc(world, world.pick(METHODS[:2]), number) for number in range(world.between((2, 4)))]
        body: Any = calls
        answer: Any = [{"jsonrpc": "2.0", "id": call["id"], "result": {}} for call in calls]
    else:
        calls = [_rpc(world, method, 1)]
        body = calls[0]
        answer = {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": "ok"}]}}
    silent = method.startswith("notifications/")
    response = COMPACT(answer)
    if world.chance(0.5):
        response = f"event: message\n{stream(world, [response], done=False)}"
    collection = "toolset" if toolset in TOOLSETS else "deployments"
    return Call(
        kind=f"mcp, {method}",
        measurement="mcp_analytics",
        deployment=toolset,
        uri=f"/v1/{collection}/{toolset.replace(' ', '%20')}/mcp",
        request=COMPACT(body),
        response="" if silent else response,
        status=202 if silent else 200,
        upstream="https://tools.upstream.example/mcp",
        points=len(calls),
    )


def _rpc(world: World, method: str, number: int) -> dict[str, Any]:
    call: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
    if not method.startswith("notifications/"):
        call["id"] = number
    if method == "tools/call":
        call["params"] = {"name": world.pick(("stock", "forecast")), "arguments": {"day": "2026-03-02"}}
    return call


def route(world: World, *, application: str = "", path: str = "") -> Call:
    """Call an application's own HTTP interface."""
    application = application or world.pick(APPLICATIONS)
    path = path or world.pick(ROUTES)
    method = "POST" if path == ROUTES[0] else "GET"
    query = world.pick(("", "?page=2&q=a%20b")) if method == "GET" else ""
    return Call(
        kind="route",
        measurement="routes_analytics",
        deployment=application,
        uri=f"/v1/deployments/{application.replace(' ', '%20')}/route/{path}{query}",
        request="" if method == "GET" else COMPACT({"note": world.question("en")}),
        response=COMPACT({"items": [world.hex(8) for _ in range(3)]}),
        method=method,
        status=world.pick((200, 201)) if method == "POST" else 200,
        upstream=f"https://apps.upstream.example/{path}",
    )


def rating(world: World, *, rate: bool, application: str = "", response: str = "") -> Call:
    """Like or dislike an answer."""
    application = application or world.pick(APPLICATIONS)
    spelled = world.pick((True, True, 1)) if rate else world.pick((False, False, 0))
    return Call(
        kind="rating",
        measurement="rate_analytics",
        deployment=application,
        uri=f"/v1/{application.replace(' ', '%20')}/rate",
        request=COMPACT({"responseId": response or f"chatcmpl-{world.hex(24)}", "rate": spelled}),
        response="",
        status=200 if world.chance(0.9) else 404,
        rate=rate,
    )


def ignored(world: World) -> Call:
    """Do something that becomes no point."""
    method, uri = world.pick(IGNORED)
    return Call("ignored", "", "", uri, "", COMPACT({"data": []}), method=method)


def failed(world: World, call: Call, *, status: int = 0) -> Call:
    """The same call, refused by a limit or broken by its upstream."""
    status = status or world.pick((429, 429, 500, 502))
    match status:
        case 429:
            error = {"message": "Hit token rate limit", "type": "rate_limit_exceeded", "code": "429"}
            body = COMPACT({"error": error})
        case 500:
            body = COMPACT({"error": {"message": "Internal error", "code": "internal_error"}})
        case _:
            body = "<html><body>Bad gateway</body></html>"
    return replace(
        call,
        kind=f"failed: {call.kind.partition(',')[0]} {status}",
        measurement="error_analytics",
        response=body,
        assembled="",
        status=status,
        usage=Usage(),
        messages=0,
        points=1,
    )
