"""The files of a model, read with one clear sentence for each that cannot be."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dial_enricher.errors import SettingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOPICS = "topics.json"
CONFIG = "config.json"
TOPIC_EMBEDDINGS = "topic_embeddings.safetensors"
TOKENIZER = "tokenizer.json"
TOKEN_EMBEDDINGS = "model.safetensors"
ENGINE = "engine.json"


def read_json(file: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises SettingError."""
    try:
        document = json.loads(file.read_bytes())
    except OSError as error:
        raise unreadable(file, error) from None
    except (ValueError, RecursionError):
        raise SettingError(f"{file} is damaged: JSON is expected") from None
    if not isinstance(document, dict):
        raise SettingError(f"{file} must hold a JSON object")
    return document


def read_tensors(file: Path, names: Collection[str]) -> "dict[str, NDArray[Any]]":
    """Those tensors of a safetensors file that are named and there. Raises SettingError."""
    with _opened(file) as tensors:
        return {name: tensors.get_tensor(name) for name in names if name in set(tensors.keys())}


def tensor_names(file: Path) -> list[str]:
    """What tensors a safetensors file has. Raises SettingError."""
    with _opened(file) as tensors:
        return list(tensors.keys())


@contextmanager
def _opened(file: Path) -> "Iterator[Any]":
    from safetensors import safe_open

    try:
        with safe_open(file, framework="numpy") as tensors:
            yield tensors
    except OSError as error:
        raise unreadable(file, error) from None
    except Exception:  # the package has errors of many types for a file that was cut or made up
        raise SettingError(f"{file} is damaged: safetensors of plain numbers are expected") from None


def unreadable(file: Path, error: OSError) -> SettingError:
    """The sentence for a file that is missing, or that cannot be opened."""
    return SettingError(
        f"{file} is missing" if isinstance(error, FileNotFoundError) else f"cannot read {file}"
    )
