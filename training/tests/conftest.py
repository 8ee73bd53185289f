"""What these tests share: no network, a quick teacher, and one set of models for all."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.support import needed
from training.tests import synthetic, teachers
from training.tests.processes import ROOT

os.environ["HF_HUB_OFFLINE"] = "1"  # asked by the package when it is imported


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.timeout(900))  # three models are made while the first test waits


@pytest.fixture(scope="session")
def shipped() -> Path:
    """The folder of the model that ships."""
    folder = ROOT / "topic_model"
    if not (folder / "topics.json").exists():
        needed("topic_model")
    return folder


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus, what people said of it, and a quick teacher."""
    folder = tmp_path_factory.mktemp("workshop")
    rows = synthetic.corpus()
    write_rows(folder / "corpus.ndjson", ({"text": row.text} for row in rows))
    labels = ({"text": row.text, "topic": row.subject} for row in rows if row.labelled)
    write_rows(folder / "labels.ndjson", labels)
    fresh = synthetic.corpus(seed=6)
    known = {row.text for row in rows}
    labelled = ({"text": row.text, "labels": [named(row.subject)]} for row in fresh if row.text not in known)
    write_rows(folder / "fresh.ndjson", labelled)
    tables = (f'[{name}]\nlabel = "{named(name)}"\ngroups = ["{name[0]}"]\n' for name in synthetic.SUBJECTS)
    (folder / "topics.toml").write_text("".join(tables))
    teachers.with_words_of((row.text for row in rows), folder / "teacher")
    return folder


def named(subject: str) -> str:
    """The label of a subject's topic."""
    return "none" if subject == "none" else f"All about {subject}"


def write_rows(file: Path, rows: Iterable[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
