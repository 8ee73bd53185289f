"""Letters that speak against a language."""

from dial_enricher.enrich.alphabets import strange_letters


def test_a_text_in_plain_letters_speaks_against_nobody() -> None:
    assert strange_letters("The quick brown fox, 42 times! 日本語") == {}


def test_each_strange_letter_counts_once() -> None:
    strange = strange_letters("Čo je to? ČO ĽUDIA")
    assert "sk" not in strange
    assert strange["cs"] == 1, "the Czech do not write ľ"
    assert strange["de"] == 2


def test_cyrillic_alphabets_are_told_apart() -> None:
    strange = strange_letters("Що таке, чи є її")
    assert "uk" not in strange
    assert strange["ru"] >= 2


def test_other_scripts_are_not_judged() -> None:
    assert not {"ja", "ar", "el", "hi"} & strange_letters("ñ").keys()
