"""The language of exchanges."""

import subprocess
import sys

import pytest

from benchmarks import eval_language
from dial_enricher.enrich.language import Language
from dial_enricher.errors import SettingError
from dial_enricher.event import Event, Line, Texts
from tests.support import reading


def event(asked: str = "", answer: str = "", chat_id: str | None = "c1") -> Event:
    texts = Texts(asked=[asked] if asked else [], answer=[answer] if answer else [])
    return reading(lambda: texts, chat_id)


def told(events: list[Event]) -> list[object]:
    return [event.exchange.columns.get("language") for event in events if event.exchange]


@pytest.fixture(scope="module")
def language() -> Language:
    return Language(everyone=False)


def test_a_batch_of_many_languages(language: Language) -> None:
    events = [
        event("Warum ist der Himmel blau?"),
        event("How can I make this query faster?"),
        event(
            "この関数がいつも空の値を返すのはなぜですか？\n```js\nreturn null; // nothing to see here\n```"
        ),
        event("Почему небо голубое?"),
        event("42"),
        event("¿Por qué el cielo es azul?"),
    ]
    language.fill(events)
    assert told(events) == ["de", "en", "ja", "ru", None, "es"]


def test_an_empty_batch(language: Language) -> None:
    language.fill([])


@pytest.mark.parametrize(
    "asked", ["1234 5678", "???", "👍", "```\nsome code only\n```", "", '{"a": "the value"}']
)
def test_nothing_is_told_from_nothing(language: Language, asked: str) -> None:
    one = event(asked)
    language.fill([one])
    assert one.exchange is not None
    assert one.exchange.columns["language"] is None  # asked, and not told: it counts as undefined


@pytest.mark.parametrize(
    ("asked", "answer", "code"),
    [
        ("ok", "Die Hauptstadt von Australien ist Canberra.", "de"),
        ("", "Stolicą Australii jest Canberra, a nie Sydney.", "pl"),
        ("Was muss ich beim Umzug beachten?", "Here is what you should keep in mind when you move.", "de"),
        ("ok", "👍", None),
    ],
)
def test_the_answer_decides_where_the_question_does_not(
    language: Language, asked: str, answer: str, code: str | None
) -> None:
    one = event(asked, answer)
    language.fill([one])
    assert told([one]) == [code]


@pytest.mark.parametrize("order", ["{request}\n\n{article}", "{article}\n\n{request}"])
def test_a_pasted_article_does_not_outvote_the_request(language: Language, order: str) -> None:
    article = "The city council will expand the bus network over the next five years, officials said. " * 8
    asked = order.format(request="Fasse diesen Artikel bitte kurz zusammen.", article=article)
    one = event(asked, "Der Artikel beschreibt den Ausbau des Busnetzes in der Stadt.")
    language.fill([one])
    assert told([one]) == ["de"]


def test_embeddings_speak_with_all_inputs(language: Language) -> None:
    inputs = Texts(asked=["Hus", "42", "Hvor ligger den nærmeste stasjonen?", "Hva koster billetten?"])
    one = reading(lambda: inputs)
    language.fill([one])
    assert told([one]) == ["nb"]


def test_only_chats_unless_everyone_is_wanted(language: Language) -> None:
    without = [event("Warum ist der Himmel blau?", chat_id=chat) for chat in (None, "")]
    language.fill(without)
    assert told(without) == [None, None]
    Language(everyone=True).fill(without)
    assert told(without) == ["de", "de"]


def test_texts_of_nobody_concerned_are_not_read(language: Language) -> None:
    def read() -> Texts:
        raise AssertionError("read")

    one = reading(read, chat_id=None)
    language.fill([one, Event(b"", Line(b"", "stdin", 2))])
    assert one.log is not None
    assert not one.log.notes


def test_lone_surrogates_spoil_nothing(language: Language) -> None:
    events = [event("Warum ist der \ud83d Himmel so blau?"), event("Why is the sky blue?")]
    language.fill(events)
    assert told(events) == ["de", "en"]


def test_a_failure_costs_one_event_its_language_and_is_counted(language: Language) -> None:
    def read() -> Texts:
        raise RuntimeError("odd")

    events = [event("Why is the sky blue?"), reading(read), event("Warum ist der Himmel blau?")]
    language.fill(events)
    assert told(events) == ["en", None, "de"]
    assert [dict(one.log.notes) for one in events if one.log] == [{}, {"language_failed": 1}, {}]


def test_a_choice_of_languages() -> None:
    events = [event("Warum ist der Himmel blau?"), event("この文章を三行で要約して")]
    Language(everyone=True, languages=["de", "EN"]).fill(events)
    assert told(events) == ["de", None]


def test_a_single_language_is_told_or_not() -> None:
    events = [event("Warum ist der Himmel blau?"), event("この文章を三行で要約して")]
    Language(everyone=True, languages=["de"]).fill(events)
    assert told(events) == ["de", None]


@pytest.mark.parametrize("codes", [["de", "xx"], ["german"], [""], []])
def test_an_unknown_language_is_named_with_those_that_are_known(codes: list[str]) -> None:
    with pytest.raises(SettingError) as raised:
        Language(everyone=True, languages=codes)
    assert repr(codes[-1]) in str(raised.value) if codes else "at least one" in str(raised.value)
    assert " de el en " in str(raised.value)


def test_importing_the_module_loads_no_detector() -> None:
    code = "import sys, dial_enricher.enrich.language; sys.exit('lingua' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("half", eval_language.HALVES)
def test_accuracy_on_the_evaluation_texts(half: str) -> None:
    rows = eval_language.rows(half)
    right = [guess == row.language for guess, row in zip(eval_language.ours("low")(rows), rows, strict=True)]
    with_code = [hit for hit, row in zip(right, rows, strict=True) if row.kind == "code"]
    assert sum(right) >= 0.975 * len(right)
    assert sum(with_code) >= 0.95 * len(with_code)


def test_the_evaluation_covers_what_it_claims() -> None:
    rows = eval_language.rows()
    assert len(rows) >= 800
    assert len({row.language for row in rows}) >= 40
    assert len({(row.asked, row.answer) for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("greeting", "code"),
    [("Hello!", "en"), ("Hola", "es"), ("Ciao", "it"), ("Bom dia", "pt"), ("Ahoj", "cs"), ("ok", None)],
)
def test_a_greeting_is_known_by_its_words(language: Language, greeting: str, code: str | None) -> None:
    one = event(greeting)
    language.fill([one])
    assert told([one]) == [code]


@pytest.mark.parametrize(
    ("question", "code"),
    [("Co je to API?", "cs"), ("Що таке API?", "uk"), ("API là gì?", "vi"), ("Què és una API?", "ca")],
)
def test_words_speak_where_letters_are_too_few(language: Language, question: str, code: str) -> None:
    one = event(question)
    language.fill([one])
    assert told([one]) == [code]
