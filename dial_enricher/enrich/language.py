"""The language of an exchange: asked of the question, then of the answer where that is not enough."""

from collections import defaultdict
from collections.abc import Sequence

from dial_enricher.enrich import prose
from dial_enricher.enrich.likelihoods import SURE, Accuracy, Judge, Likelihoods, best, shares
from dial_enricher.enrich.recent import Recent
from dial_enricher.enrich.work import is_asked
from dial_enricher.event import Event, Texts

LIKELY = 0.3
"""A language less likely than this is not told."""
DOUBT = 0.03
"""What an answer leaves to the languages it is not in: many a question is answered in English."""
OPEN = 1.0
"""What a question leaves to each language it does not seem to be in: the square of this by its evidence."""


class Language:
    """Sets the column `language` to an ISO 639-1 code, or to None where nothing tells it.

    The detector, lingua, hears the prose of the question (`prose.voices`); common words and strange letters
    in it correct the likelihoods. If no language is sure by then, the answer chooses among those that the
    question may be in. Below `LIKELY`, and where there is no prose, nothing is told.

    `low` accuracy is for everybody: 98 % of the held-out texts of the evaluation are right, and the whole
    program stays below 150 MB with all languages and topics. `high` is for those who have memory to spare and
    many short questions in closely related languages: 99 %, two to four times slower, and 1.3 GiB. Naming the
    `languages` one expects makes both faster, and `high` affordable: with eight of them it takes 310 MiB.
    """

    def __init__(
        self, everyone: bool, languages: Sequence[str] | None = None, accuracy: Accuracy = "low"
    ) -> None:
        """Imports and builds the detector.

        `everyone` tells the language of every exchange, not only of those with a chat id. `languages` are
        the ISO 639-1 codes to choose from, None for all that the detector knows; with a single one, a text is
        either in it or in none. Raises `SettingError` for an unknown code.
        """
        self._everyone = everyone
        judge = Judge(languages, accuracy)
        self._likelihoods = Recent(lambda samples: [judge.likelihoods(sample) for sample in samples])

    def concerns(self, event: Event) -> bool:
        """Whether the language of an event is asked for."""
        return is_asked(event, self._everyone)

    def fill(self, events: list[Event]) -> None:
        """Tells the language of each event; one that fails goes without, and its notes count it."""
        for event in events:
            exchange = event.exchange
            if exchange is None or not self.concerns(event):
                continue
            exchange.columns["language"] = None
            try:
                code = self._told(exchange.texts())
            except Exception:  # whatever is wrong with one text, the other events need their language
                if event.log is not None:
                    event.log.notes["language_failed"] += 1
            else:
                if code:
                    exchange.columns["language"] = code

    def _told(self, texts: Texts) -> str | None:
        question = _voices(texts.asked)
        likely = _mean(self._likelihoods.of(question))
        if best(likely)[1] < SURE and (answer := _voices(texts.answer)):  # long answers make this dear
            likely = _heard(likely, question, *self._likelihoods.of(answer[:1]))
        code, share = best(likely)
        return code if share >= LIKELY else None


def _voices(parts: list[str]) -> list[str]:
    """The samples of some texts, without lone surrogates, which no detector takes."""
    return [voice.encode("utf-8", "replace").decode() for voice in prose.voices("\n\n".join(parts))]


def _heard(likely: Likelihoods, question: list[str], answer: Likelihoods) -> Likelihoods:
    """The answer chooses among what the question may be; of a question that says little, freely."""
    if not likely or not answer:
        return likely or answer
    left = (OPEN / sum(map(prose.evidence, question))) ** 2
    return shares(
        (code, (likely.get(code, 0.0) + left) * (answer.get(code, 0.0) + DOUBT))
        for code in sorted(likely.keys() | answer.keys())
    )


def _mean(voices: list[Likelihoods]) -> Likelihoods:
    """What the voices that know something say on the average."""
    knowing = [voice for voice in voices if voice]
    sums: defaultdict[str, float] = defaultdict(float)
    for voice in knowing:
        for code, value in voice.items():
            sums[code] += value / len(knowing)
    return sums
