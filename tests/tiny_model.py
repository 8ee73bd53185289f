"""A topic model for tests: complete, and small enough to be understood. Four subjects and the rest."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import WhitespaceSplit

UNKNOWN = "[UNK]"
SUBJECTS = {
    -1: "the to is what how thing about please can you some any",
    0: "python code function loop variable compiler bug debug program class string array",
    1: "cook soup bread oven recipe salt butter onion flour dinner taste boil",
    2: "train hotel flight city beach ticket passport island museum luggage airport map",
    3: "song guitar piano melody chord singer concert drum rhythm album sings opera",
}
"""The words of each topic."""
LABELS = {-1: "Rest", 0: "Programming", 1: "Food and drink", 2: "Travel", 3: "3_song_guitar_piano_melody"}
"""As generated, as generated, as generated, as the owner calls it, as BERTopic calls it."""
GROUPS = {-1: [], 0: ["technology"], 1: ["home", "leisure"], 2: ["leisure"], 3: ["leisure"]}
"""The wider subjects of each topic."""
WORDS = [UNKNOWN, *" ".join(SUBJECTS.values()).split()]
DIMENSIONS = 8
MIN_SIMILARITY = 0.3


def write(
    folder: Path,
    *,
    table: NDArray[Any] | None = None,
    weights: NDArray[np.float32] | None = None,
    mapping: NDArray[np.int64] | None = None,
    min_similarity: float | None = MIN_SIMILARITY,
    outliers: bool = True,
) -> Path:
    """Writes the model, as BERTopic and model2vec would; the folder.

    `table` are the vectors of WORDS, or, with a `mapping`, those that it leads to. Without `outliers` the
    words of topic -1 belong to none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    subjects = {topic: words.split() for topic, words in SUBJECTS.items() if outliers or topic >= 0}
    embedding = {"embeddings": vectors() if table is None else table, "weights": weights, "mapping": mapping}
    save_file({name: one for name, one in embedding.items() if one is not None}, folder / "model.safetensors")
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, UNKNOWN))
    tokenizer.normalizer = Lowercase()
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.save(str(folder / "tokenizer.json"))
    centres = np.array(
        [vectors()[[WORDS.index(word) for word in words]].mean(0) for words in subjects.values()]
    )
    save_file({"topic_embeddings": centres.astype(np.float32)}, folder / "topic_embeddings.safetensors")
    write_json(folder / "topics.json", _topics(subjects))
    write_json(folder / "config.json", _CONFIG)
    if min_similarity is not None:
        write_json(folder / "engine.json", {"min_similarity": min_similarity})
    return folder


def vectors() -> NDArray[np.int8]:
    """A row for each of WORDS: those of one subject have the same direction, more or less."""
    random = np.random.default_rng(7)
    directions = np.eye(DIMENSIONS)[: len(SUBJECTS)]
    rows = [np.zeros(DIMENSIONS)]
    for direction, words in zip(directions, SUBJECTS.values(), strict=True):
        rows += [direction * 80 + random.normal(0, 12, DIMENSIONS) for _ in words.split()]
    return np.array(rows).round().clip(-127, 127).astype(np.int8)


def write_json(file: Path, document: Any) -> None:
    file.write_text(json.dumps(document, indent=2), "utf-8")


def _topics(subjects: dict[int, list[str]]) -> dict[str, Any]:
    generated = {topic: LABELS[topic] if topic < 2 else "" for topic in subjects}
    return {
        "topic_representations": {
            topic: [[word, 1 / place] for place, word in enumerate(words, 1)]
            for topic, words in subjects.items()
        },
        "topics": list(subjects),
        "topic_sizes": {topic: 100 - topic for topic in subjects},
        "topic_mapper": [[topic, topic] for topic in subjects],
        "topic_labels": {topic: f"{topic}_" + "_".join(words[:4]) for topic, words in subjects.items()},
        "custom_labels": [LABELS[topic] if topic == 2 else "" for topic in subjects],
        "_outliers": int(-1 in subjects),
        "topic_aspects": {
            "GeneratedName": {topic: [[text, 1.0]] for topic, text in generated.items()},
            "Group": {topic: _padded(GROUPS[topic]) for topic in subjects},
        },
    }


def _padded(groups: list[str]) -> list[list[Any]]:
    return [[group, 1 / place] for place, group in enumerate(groups + [""] * (3 - len(groups)), 1)]


_CONFIG = {
    "calculate_probabilities": False,
    "language": None,
    "low_memory": False,
    "min_topic_size": 10,
    "n_gram_range": [1, 1],
    "nr_topics": None,
    "seed_topic_list": None,
    "top_n_words": 10,
    "verbose": False,
    "zeroshot_min_similarity": 0.7,
    "zeroshot_topic_list": None,
}
