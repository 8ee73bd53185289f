"""How likely each language is for a sample of prose: what its letters say, corrected by its common words."""

from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cache
from typing import TYPE_CHECKING, Literal

from dial_enricher.enrich import prose
from dial_enricher.enrich.alphabets import strange_letters
from dial_enricher.enrich.words import all_are_common, languages_by_word
from dial_enricher.errors import SettingError

if TYPE_CHECKING:
    from lingua import Language, LanguageDetector

Likelihoods = Mapping[str, float]
"""How likely each language is, by its code; they add up to 1. Empty: nothing is known."""
Accuracy = Literal["low", "high"]

WORD = 6.0
"""How much likelier, per letter, a common word makes its languages: long words do not occur by accident."""
SLIP = 1.0
"""What letters leave to a language that words speak for: the square of this by their number."""
STRANGE = 0.1
"""How much likelier a letter makes the languages that are not written with it."""
MOST_STRANGE = 3
"""Different letters that count: a citation may have many."""
GREETING = 3
"""The least evidence of a sample that is all common words."""
LEAST = 1e-4
"""A language less likely than this is as good as impossible."""
SURE = 0.8
"""A sample this likely to be in one language needs nothing to confirm it."""
OUTRIGHT = 10_000.0
"""How much more than for any other language the words must speak for one, to ask nobody."""
CLEAR = 100.0
"""How much more than for any other language the words must speak for a quick one, to ask no further."""
GLANCE = 40
"""Characters that lingua hears where the words are to decide: the cost grows with them."""
FOREIGN = 100
"""Characters of another script that it hears: each tells more than a Latin one."""

_USUAL = frozenset(
    "ar cs da de el en es fa fi fr he hi hu id it ja ko nb nl pl pt ro ru sv th tr uk vi zh".split()
)
_RARE = frozenset("bs cy eo ga la lg mi nn sn so st tn ts xh yo zu".split())
_QUICK = frozenset("cs de en es fr it nl pl pt ro sv tr".split())
"""Of the Latin script, most texts are in one of these; to choose among them is five times as fast."""


class Judge:
    """Asks lingua, and corrects what it says.

    In the Latin script the common words of a sample often tell its language outright. Where they do not,
    lingua is asked about a few languages first. When it is sure of one, and the words speak for that one and
    hardly for any language that was not asked about, this is the answer.
    """

    def __init__(self, languages: Sequence[str] | None, accuracy: Accuracy) -> None:
        """Imports lingua. Raises SettingError for a language that it does not know."""
        codes = _checked(languages)
        latin = _latin_script()
        quick = [code for code in codes if code in _QUICK]
        self._quick = _detector(quick if len(quick) > 1 else [], accuracy)
        self._latin = _detector([code for code in codes if code in latin], accuracy)
        self._foreign = _detector([code for code in codes if code not in latin], accuracy)
        self._chosen = frozenset(codes)
        self._others = self._chosen.difference(quick)
        self._usualness = {code: _usualness(code) for code in _known()}

    def likelihoods(self, sample: str) -> Likelihoods:
        """What is known of a sample; nothing of one that is too short."""
        latin, foreign = prose.by_script(sample)
        telling = latin + foreign
        if telling < GREETING or (telling < prose.TELLING and not all_are_common(sample)):
            return {}
        evidence = _Evidence(sample, telling, self._usualness)
        if latin < foreign:
            return evidence.weighed(_asked(self._foreign, sample[:FOREIGN]))
        if (told := evidence.outright()) in self._chosen:
            return {told: 1.0}
        if self._quick:
            likely = evidence.weighed(_asked(self._quick, sample[:GLANCE]))
            code, share = best(likely)
            if share >= SURE and evidence.leads(code, self._others, CLEAR):
                return likely
        return evidence.weighed(_asked(self._latin, sample))


class _Evidence:
    """What speaks for and against the languages of a sample, beside its letters."""

    def __init__(self, sample: str, telling: int, usualness: Likelihoods) -> None:
        """`telling` is how much the letters of the sample can tell."""
        self._slip = (SLIP / telling) ** 2
        self._factors = dict(usualness)
        """How much likelier than by its letters alone each language is."""
        self._supported: set[str] = set()
        for word, languages in languages_by_word(sample):
            self._supported.update(languages)
            weight = WORD * len(word)
            for code in languages:
                self._factors[code] *= weight
        for code, strange in strange_letters(sample).items():
            self._factors[code] *= STRANGE ** min(strange, MOST_STRANGE)

    def outright(self) -> str:
        """The language for which the words speak far more than for any other; often there is one."""
        code = max(self._supported, key=self._factors.__getitem__, default="")
        return code if code and self.leads(code, self._supported - {code}, OUTRIGHT) else ""

    def leads(self, code: str, others: Set[str], by: float) -> bool:
        """Whether so many times more speaks for a language than for any of the others, and than for none."""
        known = [self._factors[other] for other in self._supported & others]
        return self._factors[code] >= by * max([1.0, *known])

    def weighed(self, by_letters: Likelihoods) -> Likelihoods:
        """Likelihoods by letters alone, corrected."""
        return shares(
            (code, (value + self._slip if code in self._supported else value) * self._factors[code])
            for code, value in by_letters.items()
            if value or code in self._supported
        )


def best(likely: Likelihoods) -> tuple[str, float]:
    """The most likely language; none has no code."""
    return max(likely.items(), key=lambda pair: pair[1], default=("", 0.0))


def shares(weights: Iterable[tuple[str, float]]) -> Likelihoods:
    """The weights as parts of 1; nothing when there are none."""
    known = list(weights)
    total = sum(weight for _, weight in known)
    return {code: weight / total for code, weight in known if weight > LEAST * total}


def _usualness(code: str) -> float:
    return 1.0 if code in _USUAL else 0.05 if code in _RARE else 0.4


def _asked(detector: "LanguageDetector | None", sample: str) -> Likelihoods:
    values = [] if detector is None else detector.compute_language_confidence_values(sample)
    return {_code(value.language): value.value for value in values}


def _checked(languages: Sequence[str] | None) -> list[str]:
    """The codes to choose from. Raises SettingError."""
    known = _known()
    chosen = known if languages is None else [code.lower() for code in languages]
    for code in chosen:
        if code not in known:
            raise SettingError(f"languages: {code!r} is not one of {' '.join(sorted(known))}")
    if not chosen:
        raise SettingError(f"languages: choose at least one of {' '.join(sorted(known))}")
    return chosen


def _known() -> list[str]:
    from lingua import Language

    return [_code(language) for language in Language.all()]


def _latin_script() -> frozenset[str]:
    from lingua import Language

    return frozenset(_code(language) for language in Language.all_with_latin_script())


@cache
def _code(language: "Language") -> str:
    return language.iso_code_639_1.name.lower()


def _detector(codes: Sequence[str], accuracy: Accuracy) -> "LanguageDetector | None":
    """Chooses among some languages; nobody does among none."""
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    if not codes:
        return None
    chosen = [getattr(IsoCode639_1, code.upper()) for code in codes]
    builder = LanguageDetectorBuilder.from_iso_codes_639_1(*chosen)
    return (builder.with_low_accuracy_mode() if accuracy == "low" else builder).build()
