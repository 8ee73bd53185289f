"""The settings, and the parts that they load: each is loaded as a run would load it, and tried."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from dial_enricher.doctor.finding import Level, Said, counted
from dial_enricher.enrich.work import Enricher
from dial_enricher.event import Event, Exchange, Line, Texts
from dial_enricher.schema import UNDEFINED
from dial_enricher.settings import (
    MODEL_RATES,
    TOPIC_MODEL,
    Accuracy,
    Destination,
    Scope,
    Settings,
    read_rates,
)

_SENTENCE = "How do I bake a cake for the birthday of my daughter, and which flour is the best one for it?"
_ITS_LANGUAGE = "en"


def settings(settings: Settings, wrong: str) -> Said:
    """Where points go, and in what form."""
    if wrong:
        yield Level.FAIL, wrong
        return
    form = f" as {settings.format}" if settings.to is Destination.STDOUT else ""
    changes = ", changed by --tag or --no-tag" if settings.tag or settings.no_tag else ""
    yield Level.OK, f"to {settings.to}{form}, schema {settings.schema}{changes}"


def rates(file: Path | None, environment: Mapping[str, str]) -> Said:
    """The prices for deployments that DIAL Core has none for. Raises SettingError."""
    found = read_rates(file, environment)
    if found:
        yield Level.OK, f"{counted(len(found), 'model')}, from {file or MODEL_RATES}"
    else:
        yield Level.OK, "none: prices are those in the log"


def language(scope: Scope, languages: Sequence[str], accuracy: Accuracy) -> Said:
    """Whether the engine loads and recognises a sentence. Raises SettingError."""
    if scope is Scope.OFF:
        yield Level.OK, "off"
        return
    from lingua import Language as Known

    from dial_enricher.enrich.language import Language

    engine = Language(everyone=True, languages=languages or None, accuracy=accuracy.value)
    codes = set(languages) or {known.iso_code_639_1.name.lower() for known in Known.all()}
    number = f"{counted(len(codes), 'language')}, accuracy {accuracy}"
    if _ITS_LANGUAGE in codes and _language_of_sentence(engine) != _ITS_LANGUAGE:
        yield Level.FAIL, f"{number}: a plain English sentence is not recognised; install the program again"
    else:
        yield Level.OK, number


def _language_of_sentence(engine: Enricher) -> object:
    exchange = Exchange("", {}, read_texts=lambda: Texts(asked=[_SENTENCE]))
    engine.fill([Event(b"", Line(b"", "", 1), exchange=exchange)])
    return exchange.columns.get("language")


def topics(scope: Scope, named: str | None, embeddings: str | None) -> Said:
    """Whether the model loads and can be asked. Raises SettingError for one that is missing or broken."""
    if scope is Scope.OFF:
        yield Level.OK, "off"
        return
    from dial_enricher.topics.find import at_hand, find
    from dial_enricher.topics.model import OUTLIER

    model = find(named, embeddings)
    if model is None:
        yield (
            Level.WARN,
            f"no topic model found: every topic will be {UNDEFINED}; name one with {TOPIC_MODEL}",
        )
        return
    (label,) = model.labels([_SENTENCE])
    number = counted(sum(topic.id != OUTLIER for topic in model.topics), "topic")
    yield Level.OK, f"{number}, from {named or at_hand()}; the topic of a trial is {label or UNDEFINED}"
