"""InfluxDB line protocol: one point, one physical line, sorted tags and fields, nanoseconds.

Rendered here and not by `influxdb_client.Point`, which leaves a newline raw in a string field and a
backslash at the end of a tag value, prints integers that servers refuse, and is many times slower.
The values of a `Point` are clean already, so escaping is all that is left to do.
"""

from dial_enricher.event import Point

_TAG_ESCAPES = ((",", r"\,"), ("=", r"\="), (" ", r"\ "), ("\n", ","), ("\t", "="))
"""One after the other. Control characters, which no value has, part the tags until all else is escaped."""
_STRING_ESCAPES = str.maketrans({'"': r"\"", "\\": r"\\"})


def render(point: Point) -> bytes:
    """The line of a point, with one newline at its end."""
    tags = "".join([f"\n{name}\t{value}" for name, value in point.tags.items()])
    for plain, escaped in _TAG_ESCAPES:  # all at once: one by one would cost twice as much
        tags = tags.replace(plain, escaped)
    fields = []
    for name, value in point.fields.items():
        if isinstance(value, int):
            fields.append(f"{name}={value}i")
        elif isinstance(value, float):
            fields.append(f"{name}={_shortest(value)}")
        else:
            fields.append(f'{name}="{_quotable(value)}"')
    return f"{point.measurement}{tags} {','.join(fields)} {point.time}\n".encode()


def _quotable(value: str) -> str:
    if '"' in value or "\\" in value:  # looking first is cheaper than translating all
        return value.translate(_STRING_ESCAPES)
    return value


def _shortest(number: float) -> str:
    """The shortest decimal that reads back as the same float: `0`, `0.25`, `3.5e-07`."""
    return repr(number).removesuffix(".0")
