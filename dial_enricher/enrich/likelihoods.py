"""How likely each language is for a sample of prose: what its letters say, corrected by its common words."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
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

    In the Latin script it is asked about a few languages first. When it is sure of one, and the common words
    of the sample speak for that one and hardly for any language that was not asked about, this is the answer.
    """

    def __init__(self, languages: Sequence[str] | None, accuracy: Accuracy) -> None:
        """Imports lingua. Raises SettingError for a language that it does not know."""
        codes = _checked(languages)
        latin = _latin_script()
        quick = [code for code in codes if code in _QUICK]
        self._quick = _detector(quick if len(quick) > 1 else [], accuracy)
        self._latin = _detector([code for code in codes if code in latin], accuracy)
        self._foreign = _detector([code for code in codes if code not in latin], accuracy)
        self._others = frozenset(codes).difference(quick)

    def likelihoods(self, sample: str) -> Likelihoods:
        """What is known of a sample; nothing of one that is too short."""
        if not _is_telling(sample):
            return {}
        evidence = _Evidence(sample)
        if not prose.is_latin(sample):
            return evidence.weighed(_asked(self._foreign, sample[:FOREIGN]))
        if self._quick:
            likely = evidence.weighed(_asked(self._quick, sample[:GLANCE]))
            code, share = best(likely)
            if share >= SURE and evidence.of(code) >= CLEAR * evidence.most(self._others):
                return likely
        return evidence.weighed(_asked(self._latin, sample))


class _Evidence:
    """What speaks for and against the languages of a sample, beside its letters."""

    def __init__(self, sample: str) -> None:
        self._slip = (SLIP / prose.evidence(sample)) ** 2
        self._support: defaultdict[str, float] = defaultdict(lambda: 1.0)
        for word, languages in languages_by_word(sample):
            for code in languages:
                self._support[code] *= WORD * len(word)
        self._strange = strange_letters(sample)

    def of(self, code: str) -> float:
        """How much likelier than by its letters alone a language is."""
        factor = _usualness(code)
        if code in self._support:
            factor *= self._support[code]
        if code in self._strange:
            factor *= STRANGE ** min(self._strange[code], MOST_STRANGE)
        return factor

    def most(self, codes: Set[str]) -> float:
        """The most that speaks for one of these languages; nothing much for those without a word."""
        return max([1.0, *(self.of(code) for code in self._support if code in codes)])

    def weighed(self, by_letters: Likelihoods) -> Likelihoods:
        """Likelihoods by letters alone, corrected."""
        return shares(
            (code, (value + self._slip if code in self._support else value) * self.of(code))
            for code, value in by_letters.items()
            if value or code in self._support
        )


def best(likely: Likelihoods) -> tuple[str, float]:
    """The most likely language; none has no code."""
    return max(likely.items(), key=lambda pair: pair[1], default=("", 0.0))


def shares(weights: Iterable[tuple[str, float]]) -> Likelihoods:
    """The weights as parts of 1; nothing when there are none."""
    known = list(weights)
    total = sum(weight for _, weight in known)
    return {code: weight / total for code, weight in known if weight > LEAST * total}


def _is_telling(sample: str) -> bool:
    """Whether a sample is worth asking about: by its length, or because it is a greeting and the like."""
    evidence = prose.evidence(sample)
    return evidence >= prose.TELLING or (evidence >= GREETING and all_are_common(sample))


def _usualness(code: str) -> float:
    return 1.0 if code in _USUAL else 0.05 if code in _RARE else 0.4


def _asked(detector: "LanguageDetector | None", sample: str) -> Likelihoods:
    values = [] if detector is None else detector.compute_language_confidence_values(sample)
    return {_code(value.language): value.value for value in values}


def _checked(languages: Sequence[str] | None) -> list[str]:
    """The codes to choose from. Raises SettingError."""
    from lingua import Language

    known = [_code(language) for language in Language.all()]
    chosen = known if languages is None else [code.lower() for code in languages]
    for code in chosen:
        if code not in known:
            raise SettingError(f"languages: {code!r} is not one of {' '.join(sorted(known))}")
    if not chosen:
        raise SettingError(f"languages: choose at least one of {' '.join(sorted(known))}")
    return chosen


def _latin_script() -> frozenset[str]:
    from lingua import Language

    return frozenset(_code(language) for language in Language.all_with_latin_script())


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
