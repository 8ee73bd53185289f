"""InfluxDB line protocol: one point, one physical line, sorted tags and fields, nanoseconds.

Rendered here and not by `influxdb_client.Point`, which leaves a newline raw in a string field and a
backslash at the end of a tag value, prints integers that servers refuse, and is many times slower.
The values of a `Point` are clean already, so escaping is all that is left to do.
"""

from dial_enricher.event import Point

_TAG_ESCAPES = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
_STRING_ESCAPES = str.maketrans({'"': r"\"", "\\": r"\\"})


def render(point: Point) -> bytes:
    """The line of a point, with one newline at its end."""
    tags = "".join([f",{name}={_tag(value)}" for name, value in point.tags.items()])
    fields = ",".join([f"{name}={_field(value)}" for name, value in point.fields.items()])
    return f"{point.measurement}{tags} {fields} {point.time}\n".encode()


def _tag(value: str) -> str:
    if "," in value or "=" in value or " " in value:  # looking first is cheaper than translating all
        return value.translate(_TAG_ESCAPES)
    return value


def _field(value: str | int | float) -> str:
    if isinstance(value, int):
        return f"{value}i"
    if isinstance(value, float):
        return _shortest(value)
    if '"' in value or "\\" in value:
        value = value.translate(_STRING_ESCAPES)
    return f'"{value}"'


def _shortest(number: float) -> str:
    """The shortest decimal that reads back as the same float: `0`, `0.25`, `3.5e-07`."""
    return repr(number).removesuffix(".0")
