"""Requests that failed, of any endpoint: `error_analytics`."""

import re
from typing import Any

from dial_enricher import bodies, streams, usage
from dial_enricher.endpoint import common_columns
from dial_enricher.event import Exchange, Log
from dial_enricher.take import dig
from dial_enricher.values import Notes, text


def status(value: Any, notes: Notes) -> str | None:
    """The status as it is usually spelled: 429 and 429.0 are one series."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else text(value, notes)


def read(endpoint: str, log: Log, uri: re.Match[str]) -> Exchange:
    columns = common_columns(log, uri)
    error = dig(bodies.body_document(log, streams.merge_error), ("error",))
    columns["endpoint"] = endpoint
    columns["status"] = status(dig(log.data, ("response", "status")), log.notes)
    columns["error_type"] = text(dig(error, ("type",)), log.notes) or text(dig(error, ("code",)), log.notes)
    columns["model"] = text(dig(bodies.request_document(log), ("model",)), log.notes) or columns["deployment"]
    return Exchange("error_analytics", columns, usage=usage.of_core(log.data, log.notes))
