"""The language of an exchange: asked of the question, then of the answer where that is not enough."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from dial_enricher.enrich import prose
from dial_enricher.enrich.alphabets import strange_letters
from dial_enricher.enrich.words import all_are_common, languages_by_word
from dial_enricher.errors import SettingError
from dial_enricher.event import Event, Texts

if TYPE_CHECKING:
    from lingua import LanguageDetector

Likelihoods = dict[str, float]
"""How likely each language is, by its code; they add up to 1. Empty: nothing is known."""

SURE = 0.8
"""A question this likely to be in one language needs no answer to confirm it."""
LIKELY = 0.3
"""A language less likely than this is not told."""
WORD = 6.0
"""How much likelier, per letter, a common word makes its languages: long words do not occur by accident."""
SLIP = 1.0
"""What letters leave to a language that words speak for: the square of this by their number."""
STRANGE = 0.1
"""How much likelier a letter makes the languages that are not written with it."""
MOST_STRANGE = 3
"""Different letters that count: a citation may have many."""
DOUBT = 0.03
"""What an answer leaves to the languages it is not in: many a question is answered in English."""
OPEN = 1.0
"""What a question leaves to each language it does not seem to be in: the square of this by its evidence."""
GREETING = 3
"""The least evidence of a sample that is all common words."""
BATCH = 256
"""Samples asked at once: both processors are busy, and 75 likelihoods of each fit into little memory."""

_USUAL = frozenset(
    "ar cs da de el en es fa fi fr he hi hu id it ja ko nb nl pl pt ro ru sv th tr uk vi zh".split()
)
_RARE = frozenset("bs cy eo ga la lg mi nn sn so st tn ts xh yo zu".split())


class Language:
    """Sets the column `language` to an ISO 639-1 code, or leaves it absent where nothing tells it.

    The detector, lingua, hears the prose of the question (`prose.voices`); common words and strange letters
    in it correct the likelihoods. If no language is sure by then, the answer chooses among those that the
    question may be in. Below `LIKELY`, and where there is no prose, nothing is told.

    `low` accuracy is for everybody: 98 % of the held-out texts of the evaluation are right, 3,000 to 5,800
    short texts a second pass two processors (busy, idle), and the whole program stays near 110 MiB with all
    languages. `high` is for those who have memory to spare and many short questions in closely related
    languages: 99 %, two to four times slower, and 1.3 GiB. Naming the `languages` one expects makes both
    faster, and `high` affordable: with eight of them it takes 310 MiB.
    """

    def __init__(
        self, everyone: bool, languages: Sequence[str] | None = None, accuracy: Literal["low", "high"] = "low"
    ) -> None:
        """Imports and builds the detector.

        `everyone` tells the language of every exchange, not only of those with a chat id. `languages` are
        the ISO 639-1 codes to choose from, None for all that the detector knows; with a single one, a text is
        either in it or in none. Raises `SettingError` for an unknown code.
        """
        self._everyone = everyone
        self._detector = _detector(languages, accuracy)

    def fill(self, events: list[Event]) -> None:
        """Tells the language of all events at once; one that fails goes without, and its notes count it."""
        cases = [case for event in events if self._concerns(event) and (case := _Case.of(event))]
        told = self._tell(voice for case in cases for voice in case.question)
        for case in cases:
            case.likely = _mean([told[voice] for voice in case.question])
        unsure = [case for case in cases if _best(case.likely)[1] < SURE and case.listen()]
        told = self._tell(case.answer for case in unsure)
        for case in unsure:
            case.hear(told[case.answer])
        for case in cases:
            code, likely = _best(case.likely)
            if likely >= LIKELY:
                case.columns["language"] = code

    def _concerns(self, event: Event) -> bool:
        return event.exchange is not None and bool(self._everyone or event.exchange.columns.get("chat_id"))

    def _tell(self, samples: Iterable[str]) -> dict[str, Likelihoods]:
        """The likelihoods of each sample. Equal samples are asked once."""
        told: dict[str, Likelihoods] = {sample: {} for sample in samples}
        worth = [sample for sample in told if _is_telling(sample)]
        for start in range(0, len(worth), BATCH):
            batch = worth[start : start + BATCH]
            found = self._detector.compute_language_confidence_values_in_parallel(batch)
            for sample, values in zip(batch, found, strict=True):
                by_letters = {value.language.iso_code_639_1.name.lower(): value.value for value in values}
                told[sample] = _weighed(by_letters, sample)
        return told


@dataclass(slots=True)
class _Case:
    """One exchange on the way to its language."""

    event: Event
    columns: dict[str, object]
    question: list[str]
    """The samples of the question."""
    answer: str = ""
    """The sample of the answer, once somebody had to listen to it."""
    likely: Likelihoods = field(default_factory=dict)

    @classmethod
    def of(cls, event: Event) -> "_Case | None":
        """The case of an event, None when it cannot be read."""
        assert event.exchange is not None
        question = _voices(event, lambda texts: texts.asked)
        return None if question is None else cls(event, event.exchange.columns, question)

    def listen(self) -> bool:
        """Takes the sample of the answer; false when there is none. Long answers make this dear."""
        voices = _voices(self.event, lambda texts: texts.answer)
        self.answer = voices[0] if voices else ""
        return bool(self.answer)

    def hear(self, answer: Likelihoods) -> None:
        """Lets the answer choose among what the question may be; of a question that says little, freely."""
        if not self.likely or not answer:
            self.likely = self.likely or answer
            return
        left = (OPEN / sum(map(prose.evidence, self.question))) ** 2
        self.likely = _shares(
            {
                code: (self.likely.get(code, 0.0) + left) * (answer.get(code, 0.0) + DOUBT)
                for code in sorted(self.likely.keys() | answer.keys())
            }
        )


def _voices(event: Event, part: Callable[[Texts], list[str]]) -> list[str] | None:
    """The samples of a part of the texts; None, and noted, when they cannot be read."""
    assert event.exchange is not None
    try:
        voices = prose.voices("\n\n".join(part(event.exchange.texts())))
    except Exception:  # whatever is wrong with one text, the other events need their language
        if event.log is not None:
            event.log.notes["language_failed"] += 1
        return None
    # Lone surrogates, which JSON can escape, have no UTF-8: the detector would refuse the whole batch.
    return [voice.encode("utf-8", "replace").decode() for voice in voices]


def _is_telling(sample: str) -> bool:
    """Whether a sample is worth asking about: by its length, or because it is a greeting and the like."""
    evidence = prose.evidence(sample)
    return evidence >= prose.TELLING or (evidence >= GREETING and all_are_common(sample))


def _weighed(by_letters: Likelihoods, sample: str) -> Likelihoods:
    """Likelihoods by letters alone, corrected by how usual a language is and by its common words."""
    weighed = {code: value * _usualness(code) for code, value in by_letters.items()}
    slip = (SLIP / prose.evidence(sample)) ** 2
    for code, factor in _support(sample).items():
        if code in weighed:
            weighed[code] = (by_letters[code] + slip) * _usualness(code) * factor
    for code, strange in strange_letters(sample).items():
        if code in weighed:
            weighed[code] *= STRANGE ** min(strange, MOST_STRANGE)
    return _shares(weighed)


def _support(sample: str) -> dict[str, float]:
    """How much likelier the common words in a sample make their languages."""
    support: defaultdict[str, float] = defaultdict(lambda: 1.0)
    for word, languages in languages_by_word(sample):
        for code in languages:
            support[code] *= WORD * len(word)
    return support


def _usualness(code: str) -> float:
    return 1.0 if code in _USUAL else 0.05 if code in _RARE else 0.4


def _shares(weights: Likelihoods) -> Likelihoods:
    """The weights as parts of 1; nothing when there are none."""
    total = sum(weights.values())
    return {code: weight / total for code, weight in weights.items() if weight}


def _mean(voices: list[Likelihoods]) -> Likelihoods:
    """What the voices that know something say on the average."""
    knowing = [voice for voice in voices if voice]
    sums: defaultdict[str, float] = defaultdict(float)
    for voice in knowing:
        for code, value in voice.items():
            sums[code] += value / len(knowing)
    return sums


def _best(likely: Likelihoods) -> tuple[str, float]:
    return max(likely.items(), key=lambda pair: pair[1], default=("", 0.0))


def _detector(languages: Sequence[str] | None, accuracy: Literal["low", "high"]) -> "LanguageDetector":
    from lingua import IsoCode639_1, LanguageDetectorBuilder
    from lingua import Language as Known

    by_code = {known.iso_code_639_1.name.lower(): known.iso_code_639_1 for known in Known.all()}
    chosen: list[IsoCode639_1] = []
    for code in by_code if languages is None else languages:
        if code.lower() not in by_code:
            raise SettingError(f"languages: {code!r} is not one of {' '.join(sorted(by_code))}")
        chosen.append(by_code[code.lower()])
    if not chosen:
        raise SettingError(f"languages: choose at least one of {' '.join(sorted(by_code))}")
    builder = LanguageDetectorBuilder.from_iso_codes_639_1(*chosen)
    return (builder.with_low_accuracy_mode() if accuracy == "low" else builder).build()
