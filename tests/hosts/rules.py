"""Rules for what a configuration may hold, and what of it breaks them.

A rule is a table, which is a dictionary of rules by key; a set of values; a type; a pattern of a text; a list
with the rule of its items; `Named`, which picks a table by one of the values; or `Map`.
"""

import re
from typing import Any, NamedTuple

Rule = Any


class Named(NamedTuple):
    """The table that a value names."""

    key: str
    tables: dict[str, Rule]


class Map(NamedTuple):
    """A dictionary of any keys, whose values have one rule."""

    rule: Rule


def problems(value: Any, rule: Rule, where: str = "") -> list[str]:
    """What a host would not understand."""
    if isinstance(rule, Named):
        named = value.get(rule.key) if isinstance(value, dict) else None
        table = rule.tables.get(str(named))
        return problems(value, table, where) if table else [f"{where}: {rule.key} {named!r}"]
    if isinstance(rule, Map):
        rule = dict.fromkeys(value, rule.rule) if isinstance(value, dict) else {}
    if isinstance(rule, dict):
        if not isinstance(value, dict):
            return [f"{where}: {value!r}"]
        unknown = [f"{where}.{key}: unknown" for key in value if key not in rule]
        known = (problems(one, rule[key], f"{where}.{key}") for key, one in value.items() if key in rule)
        return unknown + [one for found in known for one in found]
    if isinstance(rule, list):
        if not isinstance(value, list):
            return [f"{where}: {value!r} is no list"]
        return [one for at, item in enumerate(value) for one in problems(item, rule[0], f"{where}[{at}]")]
    return [] if _fits(value, rule) else [f"{where}: {value!r}"]


def _fits(value: Any, rule: Rule) -> bool:
    if isinstance(rule, set):
        return not isinstance(value, list | dict) and value in rule
    if isinstance(rule, re.Pattern):
        return isinstance(value, str) and rule.fullmatch(value) is not None
    assert isinstance(rule, type)
    return isinstance(value, rule) and isinstance(value, bool) == (rule is bool)
