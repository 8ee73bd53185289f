"""Other people's models, which BERTopic itself has to run: real processes over the sample log."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from bertopic import BERTopic
from sentence_transformers import SentenceTransformer

from tests import lp
from tests.support import ROOT, SAMPLE, Done, check_refused
from training.tests import synthetic, teachers
from training.tests.processes import run

NO_NETWORK = '''
"""Loaded by Python at its start: whoever wants to talk to somebody is written down and refused."""
import os, socket

def refuse(*arguments, **more):
    with open(os.environ["TALKED"], "a") as file:
        print(arguments, file=file)
    raise OSError("there is no network")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
'''


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model as BERTopic saves it: in its own format, and pickled with all that it needs."""
    folder = tmp_path_factory.mktemp("stock")
    texts = [row.text for row in synthetic.corpus() if row.subject in list(synthetic.SUBJECTS)[:6]]
    model: Any = BERTopic(embedding_model=SentenceTransformer(str(teachers.packaged())), min_topic_size=20)
    model.fit(texts)
    assert len(model.get_topic_info()) > 3
    model.save(str(folder / "saved"), serialization="safetensors", save_embedding_model=False)
    model.save(str(folder / "pickle"), serialization="pickle")
    return folder


@pytest.fixture
def alone(tmp_path: Path) -> dict[str, str]:
    """An environment that may ask the network, but whose every attempt is noticed."""
    (tmp_path / "sitecustomize.py").write_text(NO_NETWORK)
    path = os.pathsep.join(map(str, (ROOT, tmp_path)))
    return {"PYTHONPATH": path, "TALKED": str(tmp_path / "talked"), "HF_HUB_OFFLINE": "0"}


def enriched(*arguments: str | Path, cwd: Path, env: dict[str, str]) -> Done:
    return run("enrich", "--language", "off", *arguments, SAMPLE, cwd=cwd, env=env)


MODELS = {
    "its own format": ("saved", teachers.packaged()),
    "a pickle": ("pickle", None),
}


def said(done: Done) -> list[str]:
    """The lines on stderr, without the time at their beginning and the topics that are undefined."""
    return [re.sub(r"^\S+ | topic_undefined=\d+", "", line) for line in done.err.splitlines()]


@pytest.mark.parametrize("kind", MODELS)
def test_a_model_of_bertopic_works(saved: Path, alone: dict[str, str], tmp_path: Path, kind: str) -> None:
    name, embedding = MODELS[kind]
    named = () if embedding is None else ("--topic-embeddings-model", embedding)
    done = enriched("--topic-model", saved / name, *named, "--topics", "all", cwd=tmp_path, env=alone)
    plain = enriched("--topics", "off", cwd=tmp_path, env=alone)
    assert (done.code, said(done)) == (0, said(plain))
    points, expected = lp.parse_all(done.out), lp.parse_all(plain.out)
    topics = {point.tags.pop("topic", None) for point in points} - {None, "undefined"}
    for point in expected:
        point.tags.pop("topic", None)
    assert points == expected
    labels = set(BERTopic.load(str(saved / "pickle")).topic_labels_.values())
    assert len(topics) > 1
    assert topics <= labels
    assert not (tmp_path / "talked").exists(), (tmp_path / "talked").read_text()


@pytest.mark.parametrize("setting", ["topic-model", "topic-embeddings-model"])
def test_a_name_that_is_not_at_hand_is_refused_in_a_sentence(
    saved: Path, tmp_path: Path, setting: str
) -> None:
    model = ("--topic-model", saved / "saved")
    offline = {"HF_HOME": str(tmp_path)}
    done = enriched(*model, f"--{setting}", "nobody/not-there", cwd=tmp_path, env=offline)
    check_refused(done, "nobody/not-there")
    assert len(done.err.splitlines()) == 1
