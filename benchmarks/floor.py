"""The floor of this machine: reads a DIAL log and decodes its JSON, and does nothing with it.

A program that looks into the log can hardly be faster, so `benchmarks.bench` measures ours against this one.
It decodes the raw streams too, which ours leaves out where it can.
"""

import json
import sys
from pathlib import Path
from typing import Any

import orjson

_BUFFER = 1024 * 1024


def decoded(text: bytes | str) -> Any:
    """Decode strictly; leniently what that refuses; nothing when it is no JSON at all."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            return json.loads(text, strict=False)
        except json.JSONDecodeError:
            return None


def main(file: Path) -> None:
    """Decode the outer object, the request's body and the assembled response of each line."""
    with file.open("rb", buffering=_BUFFER) as lines:
        for line in lines:
            outer = decoded(line)
            if isinstance(outer, dict) and "request" in outer:
                if body := outer["request"].get("body"):
                    decoded(body)
                if answer := outer.get("assembled_response"):
                    decoded(answer)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
