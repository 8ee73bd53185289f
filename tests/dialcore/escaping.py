"""JSON as DIAL Core writes it: put together by hand, with an escaping of its own."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

Escape = Callable[[str], str]

_NAMED = {  # the backslash comes first: the others bring new ones in
    "\\": "\\\\",
    '"': '\\"',
    "/": "\\/",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}
CONTROL = re.compile("[\x00-\x1f]")


def escape_old(text: str) -> str:
    """Escape like old Core: control characters without a short name stay raw, which JSON forbids."""
    for char, escaped in _NAMED.items():
        text = text.replace(char, escaped)
    return text


def escape_new(text: str) -> str:
    """Escape like new Core: every control character."""
    return CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", escape_old(text))


def written(value: object, escape: Escape) -> str:
    """Write a value without any white space, keys in the order of the mapping."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{escape(value)}"'
        case int() | float() | Decimal():  # Decimal prints small numbers like Java's BigDecimal: 3.4E-7
            return str(value)
        case list():
            return "[" + ",".join(written(item, escape) for item in value) + "]"
        case Mapping():
            return "{" + ",".join(f'"{key}":{written(item, escape)}' for key, item in value.items()) + "}"
        case _:
            raise TypeError(f"Core writes no {type(value).__name__}")
