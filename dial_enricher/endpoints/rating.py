"""Ratings: `/v1/{id}/rate`."""

import re

from dial_enricher import bodies
from dial_enricher.endpoint import common_columns
from dial_enricher.event import Exchange, Log
from dial_enricher.schema import UNDEFINED
from dial_enricher.take import dig
from dial_enricher.values import text


def read(log: Log, uri: re.Match[str]) -> Exchange:
    """A like or a dislike; neither when the body is not there to tell (secured keys, broken bodies)."""
    request = bodies.request_document(log)
    columns = common_columns(log, uri)
    columns["response_id"] = text(dig(request, ("responseId",)), log.notes) or UNDEFINED
    told = isinstance(request, dict)
    likes = told and bool(request.get("rate"))
    columns["like_count"] = int(likes)
    columns["dislike_count"] = int(told and not likes)
    return Exchange("rate_analytics", columns)
