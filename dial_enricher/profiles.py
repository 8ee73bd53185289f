"""Which columns are tags: `dial` is the schema as it stands, `lean` keeps the series few.

A column that moves stays a text that is always written. What told requests apart may move with it: the
measurement then says so, and the times of its points differ below the millisecond instead.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum

from dial_enricher.errors import SettingError
from dial_enricher.schema import COLUMNS, MEASUREMENTS, Kind, Measurement


class Profile(StrEnum):
    DIAL = "dial"
    LEAN = "lean"


LEAN_TAGS = frozenset(
    "deployment endpoint language model parent_deployment project_id status title topic".split()
)
"""Columns with few values, however many requests there are."""
_TEXTS = frozenset(name for name, column in COLUMNS.items() if column.kind is Kind.STRING)
_IDENTITY = frozenset(("trace_id", "core_span_id"))
"""Together they tell a request from every other."""


def profile(
    name: Profile, tags: Iterable[str] = (), no_tags: Iterable[str] = ()
) -> Mapping[str, Measurement]:
    """The measurements of a profile, with some columns made tags (`--tag`) or fields (`--no-tag`) everywhere.

    Raises SettingError for what is no column or no text, for a column in both, and for a measurement that
    would be left without a field that is always written: InfluxDB takes no such point.
    """
    wanted, unwanted = _texts("--tag", tags), _texts("--no-tag", no_tags)
    if both := sorted(wanted & unwanted):
        raise SettingError(f"--tag {both[0]} and --no-tag {both[0]} contradict each other")
    return {
        measurement.name: _moved(measurement, (_base(name, measurement) | wanted) - unwanted)
        for measurement in MEASUREMENTS.values()
    }


def _texts(option: str, names: Iterable[str]) -> frozenset[str]:
    """The columns that an option names. Raises SettingError."""
    found = frozenset(names)
    for name in sorted(found - _TEXTS):
        if name in COLUMNS:
            raise SettingError(f"{option} {name}: a number is always a field")
        raise SettingError(f"{option} {name}: no such column, possible are {', '.join(sorted(_TEXTS))}")
    return found


def _base(name: Profile, measurement: Measurement) -> frozenset[str]:
    """The tags of a measurement before columns move one by one."""
    tags = frozenset(measurement.tags)
    return tags & LEAN_TAGS if name is Profile.LEAN else tags


def _moved(measurement: Measurement, tags: frozenset[str]) -> Measurement:
    """The measurement with these of its columns as tags, those that it does not have left aside."""
    columns = sorted(measurement.tags + measurement.fields)
    fields = tuple(column for column in columns if column not in tags)
    if measurement.sparse.issuperset(fields):
        kept = ", ".join(sorted(_TEXTS.intersection(measurement.fields)))
        raise SettingError(f"--tag: {measurement.name} needs one of {kept} as a field")
    return replace(
        measurement,
        tags=tuple(column for column in columns if column in tags),
        fields=fields,
        tags_identify=measurement.tags_identify and tags >= _IDENTITY,
    )
