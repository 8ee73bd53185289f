"""Routes of a deployment: `/v1/deployments/{id}/route/{path}`."""

import re

from dial_enricher.endpoint import common_columns
from dial_enricher.event import Exchange, Log
from dial_enricher.take import dig
from dial_enricher.values import text


def read(log: Log, uri: re.Match[str]) -> Exchange:
    columns = common_columns(log, uri)
    columns["route_path"] = uri["path"]
    columns["http_method"] = text(dig(log.data, ("request", "method")), log.notes)
    return Exchange("routes_analytics", columns)
