"""The endpoints of DIAL Core that are logged, and how a log finds its own.

To add one: a module beside this file, a row in ENDPOINTS, a measurement in `schema.py`, a case folder.
"""

import re

from dial_enricher.endpoint import Endpoint
from dial_enricher.endpoints import anthropic, chat, embeddings, failed, mcp, rating, responses, routes
from dial_enricher.event import Event, Exchange, Log
from dial_enricher.take import need


def _path(pattern: str) -> re.Pattern[str]:
    """A pattern whose `...` stands for the end or for whatever further segments."""
    return re.compile(pattern.replace("...", r"(?:/|\Z)"), re.DOTALL)


_NO_ROUTE = r"(?:(?!/route/).)+?"
"""An id that ends before a route does: a route may have `/mcp` in its path."""

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("chat_completions", _path(r"/+openai/deployments/(?P<id>.+?)/chat/completions..."), chat.read),
    Endpoint("embeddings", _path(r"/+openai/deployments/(?P<id>.+?)/embeddings\Z"), embeddings.read),
    Endpoint("responses", _path(r"/+openai/v1/responses\Z"), responses.read),
    Endpoint("anthropic_messages", _path(r"/+anthropic/v1/messages\Z"), anthropic.read),
    Endpoint("mcp", _path(r"/+v1/toolset/(?P<id>.+?)/mcp..."), mcp.read),
    Endpoint("mcp", _path(rf"/+v1/deployments/(?P<id>{_NO_ROUTE})/mcp..."), mcp.read),
    Endpoint("routes", _path(r"/+v1/deployments/(?P<id>.+?)/route(?P<path>/.*)"), routes.read),
    Endpoint("rating", _path(r"/+v1/(?P<id>.+?)/rate..."), rating.read, any_status=True),
)
"""The first match wins. Patterns are matched from the start of the path, whose ids may hold slashes."""


def understand(event: Event) -> None:
    """Fills in the exchange of an event, or why it is ignored. Raises BadRecord."""
    log = event.log
    if log is None:
        return
    for endpoint in ENDPOINTS:
        uri = endpoint.pattern.match(log.path)
        if uri:
            event.exchange = _read(endpoint, log, uri)
            return
    event.ignored = shape(log.path)


def _read(endpoint: Endpoint, log: Log, uri: re.Match[str]) -> Exchange:
    if endpoint.any_status:
        return endpoint.read(log, uri)
    if _is_success(need(log.data, ("response", "status"))):
        return endpoint.read(log, uri)
    return failed.read(endpoint.name, log, uri)


def _is_success(status: object) -> bool:
    try:
        return 200 <= float(status) <= 299  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return False


_API_WORDS = frozenset(
    """
    admin anthropic api applications assistants audio bucket chat codeapps completions configuration
    conversations count_tokens deployments embeddings feedback files health images info invitations
    limits mcp messages metadata models notifications openai ops prompts public publication publications
    rate reports responses roles route routes schemas settings share tokenize toolset toolsets
    truncate_prompt user v1 v2 v3
    """.split()
)
"""Path segments that name an interface; every other segment may be somebody's id or file name."""


def shape(path: str) -> str:
    """A path without its ids, to count unknown ones by: `/v1/files/{id}`.

    Words count from the start up to the first id, and the one behind that: a file may be called anything.
    """
    words: list[str] = []
    for segment in filter(None, path.split("/")):
        if segment in _API_WORDS:
            words.append(segment)
            if "{id}" in words:
                break
        elif "{id}" not in words:
            words.append("{id}")
    return "/" + "/".join(words)
