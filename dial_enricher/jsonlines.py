"""Points as JSON lines, for shippers that want JSON: measurement, tags, fields, time in nanoseconds."""

import orjson

from dial_enricher.event import Point


def render(point: Point) -> bytes:
    """The JSON object of a point, with one newline at its end."""
    return orjson.dumps(
        {
            "measurement": point.measurement,
            "tags": point.tags,
            "fields": point.fields,
            "time": point.time,
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )
