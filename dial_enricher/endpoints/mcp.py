"""MCP servers behind DIAL: `/v1/toolset/{id}/mcp` and `/v1/deployments/{id}/mcp`."""

import re
from typing import Any

from dial_enricher import bodies
from dial_enricher.endpoint import common_columns
from dial_enricher.event import Exchange, Json, Log
from dial_enricher.take import dig
from dial_enricher.values import Notes, text


def read(log: Log, uri: re.Match[str]) -> Exchange:
    request = bodies.request_document(log)
    batch = request if isinstance(request, list) else [request]
    calls = [_call(call, log.notes) for call in batch or [None]]
    return Exchange("mcp_analytics", common_columns(log, uri), calls=calls)


def _call(call: Any, notes: Notes) -> Json:
    """The columns of one JSON-RPC call of a batch."""
    method = text(dig(call, ("method",)), notes)
    tool = text(dig(call, ("params", "name")), notes) if method == "tools/call" else None
    return {"mcp_method": method, "mcp_tool_call_name": tool}
