"""A map of the topics: one HTML file that needs no network, no library and no font."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Any

import numpy as np

from dial_enricher.errors import SettingError
from dial_enricher.topics import layout
from dial_enricher.topics.model import OUTLIER, TopicModel

_PAGE = files("dial_enricher.topics") / "page"
_PLACE = re.compile(r"\{\{(\w+)\}\}")
_NEAREST = 4
_MOST_REGIONS = 8
"""As many colours as can be told from one another."""


def draw(model: TopicModel) -> str:
    """The page. Raises SettingError for a model that has no topic but that for outliers."""
    style, script = _read("map.css"), _read("map.js") + _read("controls.js")
    parts = {
        "policy": f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}",
        "style": style,
        "data": _inert(data(model)),
        "script": script,
    }
    return _PLACE.sub(lambda place: parts[place[1]], _read("map.html"))


def data(model: TopicModel) -> dict[str, Any]:
    """What the page shows: the topics, the biggest first, with their places, and the size of the outliers."""
    rows = [row for row, topic in enumerate(model.topics) if topic.id != OUTLIER]
    rows.sort(key=lambda row: -model.topics[row].size)
    if not rows:
        raise SettingError("topic_model: it has no topic but the one for outliers")
    topics = [model.topics[row] for row in rows]
    directions = model.directions[rows]
    radii = layout.radii(np.array([topic.size for topic in topics], float))
    spots = layout.parted(layout.places(directions), radii)
    regions = layout.regions(spots, min(_MOST_REGIONS, round(len(rows) ** 0.5)))
    similarities = directions @ directions.T
    np.fill_diagonal(similarities, -2)
    nearest = np.argsort(-similarities, axis=1, kind="stable")[:, : min(_NEAREST, len(rows) - 1)]
    return {
        "topics": [
            {
                "id": topic.id,
                "label": topic.label,
                "words": topic.words,
                "groups": topic.groups,
                "size": topic.size,
                "x": round(float(spots[place, 0]), 1),
                "y": round(float(spots[place, 1]), 1),
                "r": round(float(radii[place]), 1),
                "region": int(regions[place]),
                "near": [
                    [int(other), round(float(similarities[place, other]), 3)] for other in nearest[place]
                ],
            }
            for place, topic in enumerate(topics)
        ],
        "outliers": sum(topic.size for topic in model.topics if topic.id == OUTLIER),
    }


def _read(name: str) -> str:
    return _PAGE.joinpath(name).read_text("utf-8")


def _source(code: str) -> str:
    """What a content security policy calls this very code: no other may run, and nothing be fetched."""
    return f"'sha256-{b64encode(sha256(code.encode()).digest()).decode()}'"


def _inert(document: Any) -> str:
    """JSON without any character that HTML gives a meaning, so that no label can end the element it is in."""
    text = json.dumps(document)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
