"""Which topic model is meant, and which engine runs it."""

import re
from pathlib import Path

from dial_enricher.errors import SettingError
from dial_enricher.topics import files
from dial_enricher.topics.model import TopicModel

FOLDER = "topic_model"
_PACKAGE = Path(__file__).parents[1]
_OWNED = re.compile(r"\w[\w.-]*/[\w.-]+")
_HUB_NAMES = {"topic_model": _OWNED, "topic_embeddings_model": re.compile(rf"{_OWNED.pattern}|\w[\w.-]*")}
"""What a name on Hugging Face looks like: owner/name, and for embeddings a well-known name alone."""


def find(named: str | None = None, embeddings: str | None = None) -> TopicModel | None:
    """The model that is named, by a path or by its name on Hugging Face, else the one at hand, else None.

    At hand is `./topic_model`, or the folder that came with the program. `embeddings` names the model that
    embeds the texts, None the model's own. Raises SettingError for a model that is missing or broken.
    """
    if embeddings is not None:
        _check_name("topic_embeddings_model", embeddings)
    if named is not None:
        _check_name("topic_model", named)
        return load(named, embeddings)
    folder = at_hand()
    return None if folder is None else load(str(folder), embeddings)


def at_hand() -> Path | None:
    """The model that is used where none is named: that of the working directory, else our own."""
    # The last one is there in a checkout; in a wheel the model is inside the package.
    places = (Path(FOLDER), _PACKAGE / FOLDER, _PACKAGE.parent / FOLDER)
    return next((folder for folder in places if (folder / files.TOPICS).is_file()), None)


def load(model: str, embeddings: str | None = None) -> TopicModel:
    """The model of this name, run natively where that is possible. Raises SettingError."""
    folder = Path(model)
    if _is_native(folder, embeddings):
        from dial_enricher.topics import native

        return native.load(folder, Path(embeddings) if embeddings else None)
    from dial_enricher.topics import stock

    return stock.load(model, embeddings)


def _is_native(folder: Path, embeddings: str | None) -> bool:
    """Whether a folder is for our own engine, be it incomplete: then that can say what is missing."""
    if not folder.is_dir():
        return False
    if embeddings is None:
        return any((folder / name).is_file() for name in (files.TOKENIZER, files.TOKEN_EMBEDDINGS))
    from dial_enricher.topics.static import is_static

    return (folder / files.TOPIC_EMBEDDINGS).is_file() and is_static(Path(embeddings))


def _check_name(setting: str, name: str) -> None:
    """A path that leads nowhere must not become a question to Hugging Face."""
    if not Path(name).exists() and not _HUB_NAMES[setting].fullmatch(name):
        raise SettingError(f"{setting}: no such folder: {name}")
