"""Transformers to learn from: the one that a package brings, and a quick one made of it."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from dial_enricher.training import teacher


def packaged() -> Path:
    """The folder of all-MiniLM-L6-v2."""
    folder = teacher.packaged()
    assert folder is not None
    return Path(folder)


def with_words_of(texts: Iterable[str], folder: Path) -> Path:
    """The same transformer, knowing the tokens of some texts alone: a student has fewer to learn."""
    shutil.copytree(packaged(), folder)
    document = json.loads((folder / "tokenizer.json").read_bytes())
    known = document["model"]["vocab"]
    encoded = Tokenizer.from_str(json.dumps(document)).encode_batch(list(texts))
    used = {token for one in encoded for token in one.tokens}
    letters = {token for token in known if len(token.removeprefix("##")) == 1}
    special = {token["content"] for token in document["added_tokens"]}
    kept = sorted(used | letters | special, key=known.__getitem__)
    numbers = {token: number for number, token in enumerate(kept)}
    document["model"]["vocab"] = numbers
    for token in document["added_tokens"]:
        token["id"] = numbers[token["content"]]
    for name, token in document["post_processor"]["special_tokens"].items():
        token["ids"] = [numbers[name]]
    (folder / "tokenizer.json").write_text(json.dumps(document))
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in kept))
    tensors = load_file(folder / "model.safetensors")
    words = "embeddings.word_embeddings.weight"
    tensors[words] = np.ascontiguousarray(tensors[words][[known[token] for token in kept]])
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    config = json.loads((folder / "config.json").read_bytes())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": len(kept)}))
    return folder
