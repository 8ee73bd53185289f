"""The schema, written out for people and for programs."""

from collections.abc import Mapping

import orjson

from dial_enricher.schema import COLUMNS, MEASUREMENTS, Measurement


def markdown(measurements: Mapping[str, Measurement] = MEASUREMENTS) -> str:
    """A table for each measurement."""
    return "\n\n".join(_section(measurement) for measurement in measurements.values())


def _section(measurement: Measurement) -> str:
    rows = [f"### `{measurement.name}`", "", f"{measurement.doc}.", ""]
    rows += ["| column | kind | type | meaning |", "|---|---|---|---|"]
    rows += [f"| `{name}` | tag | string | {COLUMNS[name].doc} |" for name in measurement.tags]
    for name in measurement.fields:
        kind = "field, if known" if name in measurement.sparse else "field"
        rows.append(f"| `{name}` | {kind} | {COLUMNS[name].kind} | {COLUMNS[name].doc} |")
    return "\n".join(rows)


def json(measurements: Mapping[str, Measurement] = MEASUREMENTS) -> str:
    """`{measurement: {doc, tags: {name: doc}, fields: {name: {type, always, doc}}}}`."""
    described = {
        measurement.name: {
            "doc": measurement.doc,
            "tags": {name: {"doc": COLUMNS[name].doc} for name in measurement.tags},
            "fields": {
                name: {
                    "type": COLUMNS[name].kind,
                    "always": name not in measurement.sparse,
                    "doc": COLUMNS[name].doc,
                }
                for name in measurement.fields
            },
        }
        for measurement in measurements.values()
    }
    return orjson.dumps(described, option=orjson.OPT_INDENT_2).decode()


FORMATS = {"markdown": markdown, "json": json}
