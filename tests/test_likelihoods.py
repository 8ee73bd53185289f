"""Short cuts to a language lead where the long way does."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.eval_language import rows
from dial_enricher.enrich import prose
from dial_enricher.enrich.likelihoods import LEAST, Judge, _Evidence, best, shares
from dial_enricher.enrich.recent import Recent

SAMPLES = sorted(
    {voice for row in rows() for part in (row.asked, row.answer) for voice in prose.voices(part) if part}
)
RUNS = [
    "I",
    "API",
    "don't",
    "e.g.",
    "Ünïcödé",
    "É",
    "ÉÉ",
    "a/b",
    "x_y",
    "3rd",
    "(so)",
    '"q"',
    "日本ABC語",
    "v1.2",
    "A-B",
]
LINES = st.lists(
    st.sampled_from(RUNS) | st.text(st.sampled_from("abAB É1/_.:'-,()\"ß日ж"), max_size=8), max_size=12
).map(" ".join)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Asks about all languages, whatever the words say."""
    judge = Judge(None, "low")
    judge._quick = None
    monkeypatch.setattr(_Evidence, "outright", lambda self: "")
    return judge


@pytest.mark.parametrize("outright", [True, False])
def test_short_ways_find_what_the_long_way_finds(
    slow: Judge, monkeypatch: pytest.MonkeyPatch, outright: bool
) -> None:
    long = [slow.likelihoods(sample) for sample in SAMPLES]
    if outright:
        monkeypatch.undo()
    quick = Judge(None, "low")
    short = [quick.likelihoods(sample) for sample in SAMPLES]
    pairs = list(zip(short, long, strict=True))
    assert sum(one != other for one, other in pairs) > 300, "hardly anything takes a short way"
    assert [pair for pair in pairs if best(pair[0])[0] != best(pair[1])[0]] == []


def test_words_tell_a_language_outright_only_if_it_is_chosen() -> None:
    french = "Je voudrais savoir comment nous pouvons faire cela avec vous dans cette maison"
    assert Judge(None, "low").likelihoods(french) == {"fr": 1.0}
    assert best(Judge(["en", "de"], "low").likelihoods(french))[0] in ("en", "de")


def test_of_languages_that_are_not_chosen_none_is_told() -> None:
    judge = Judge(["en", "de"], "low")
    assert judge.likelihoods("これは日本語の文章です") == {}
    assert best(judge.likelihoods("Wie backe ich einen Kuchen für heute Abend?"))[0] == "de"
    assert best(Judge(["ja"], "low").likelihoods("これは日本語の文章です"))[0] == "ja"


@given(LINES)
def test_plain_words_are_what_sifting_every_run_leaves(line: str) -> None:
    sifted = prose._RUN.sub(lambda run: prose._kept(run[0], line), line)
    assert prose._words(line) == " ".join(sifted.split())


@given(LINES)
def test_names_are_found_behind_a_word(line: str) -> None:
    behind = r"(?<=[^\W\dA-Z_]\s)[A-Z][^\W\d_]+|(?<=[^\W\dA-Z_],\s)[A-Z][^\W\d_]+"
    assert prose._NAME.sub("", line) == re.sub(behind, "", line)


@given(st.lists(st.sampled_from(["```", "~", " ", "\n", ">", "code", "```js\n"])).map("".join))
def test_a_text_without_tildes_has_the_same_fences_for_both_expressions(text: str) -> None:
    if "~~~" not in text:
        assert prose._FENCE.sub("\n", text) == prose._ANY_FENCE.sub("\n", text)


@given(st.text())
def test_evidence_is_the_number_of_letters_that_tell(text: str) -> None:
    def weight(char: str) -> int:
        return next((weight for runs, weight in WEIGHTS if runs.fullmatch(char)), 0)

    assert prose.evidence(text) == sum(map(weight, text))


WEIGHTS = ((prose._LATIN, 1), (prose._DENSE, 4), (prose._OTHER, 2))


@pytest.mark.parametrize("weights", [{}, {"a": 0.0}, {"a": 2.0, "b": 6.0}, {"a": 1.0, "b": LEAST / 10}])
def test_shares_add_up_to_one(weights: dict[str, float]) -> None:
    found = shares(weights.items())
    assert sum(found.values()) == pytest.approx(1.0 if any(weights.values()) else 0.0, abs=LEAST)
    assert all(found.values())


# What was told of the last texts


def test_a_text_is_asked_about_once_while_it_is_remembered() -> None:
    asked: list[list[str]] = []

    def ask(texts: list[str]) -> list[str]:
        asked.append(texts)
        return [text.upper() for text in texts]

    recent = Recent(ask, remembered=2)
    assert recent.of(["a", "b", "a"]) == ["A", "B", "A"]
    assert recent.of(["a"]) == ["A"]
    assert recent.of(["c", "a"]) == ["C", "A"]
    assert recent.of(["b"]) == ["B"]
    assert recent.of([]) == []
    assert asked == [["a", "b"], ["c"], ["b"]]


def test_more_texts_at_once_than_are_remembered() -> None:
    recent = Recent(lambda texts: [len(text) for text in texts], remembered=1)
    assert recent.of(["a", "bb", "ccc", "bb"]) == [1, 2, 3, 2]
    assert len(recent._answers) == 1


def test_no_text_is_remembered() -> None:
    recent = Recent(lambda texts: [None for _ in texts])
    recent.of(["a secret"])
    assert "secret" not in repr(vars(recent))


def test_a_question_that_failed_is_asked_again() -> None:
    def ask(texts: list[str]) -> list[int]:
        tries.append(texts)
        if len(tries) == 1:
            raise RuntimeError("odd")
        return [1]

    tries: list[list[str]] = []
    recent = Recent(ask)
    with pytest.raises(RuntimeError):
        recent.of(["a"])
    assert recent.of(["a"]) == [1]
