"""Everything that is drawn by chance: who asks, when, which model, how long the texts are.

One `random.Random` drives it all and no clock is read, so a seed always gives the same bytes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TypeVar

from tests.dialcore.prose import Prose
from tests.dialcore.wide import WideProse

T = TypeVar("T")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)


@dataclass(slots=True, frozen=True)
class Model:
    """A deployment of a model and what it costs for each token."""

    deployment: str
    name: str
    """What the model calls itself in its answers."""
    prompt: Decimal
    completion: Decimal


def _model(deployment: str, name: str, prompt: str, completion: str) -> Model:
    return Model(deployment, name, Decimal(prompt), Decimal(completion))


CHAT_MODELS = (
    _model("gpt-4o", "gpt-4o-2024-08-06", "0.0000025", "0.00001"),
    _model("gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", "0.0000004", "0.0000016"),
    _model("gpt-35-turbo", "gpt-35-turbo", "0.0000005", "0.0000015"),
    _model("mistral-large", "mistral-large-2411", "0.000002", "0.000006"),
    _model("o4 mini=fast, high", "o4-mini", "0.0000011", "0.0000044"),
)
ANTHROPIC_MODELS = (
    _model("claude-sonnet-4", "claude-sonnet-4-20250514", "0.000003", "0.000015"),
    _model("claude-haiku-3.5", "claude-3-5-haiku-20241022", "0.0000008", "0.000004"),
)
EMBEDDING_MODELS = (
    _model("text-embedding-3-small", "text-embedding-3-small", "0.00000002", "0"),
    _model("text-embedding-3-large", "text-embedding-3-large", "0.00000013", "0"),
)
APPLICATIONS = (
    "helpdesk",
    "applications/4f1c0a77/contract-reader",
    "applications/9be2d350/travel planner",
    "research-assistant",
)
TITLES = (
    "Software Engineer",
    "Accountant, Senior",
    'Head of "R&D"',
    "Shift=Leader",
    "Buyer EMEA\\LATAM",
    "Sachbearbeiterin für Verträge",
)


@dataclass(slots=True, frozen=True)
class Shape:
    """How long things are. A pair is the least and the most, in characters unless it says otherwise."""

    name: str
    question: tuple[int, int]
    answer: tuple[int, int]
    instructions: tuple[int, int]
    messages: tuple[int, int]
    """Messages of a chat."""
    tools: tuple[int, int]
    """Tools that a chat offers to the model."""
    piece: int
    """Characters of one chunk of a stream, on average."""
    image: int
    """Bytes of a picture."""
    vector: int
    """Numbers of an embedding."""
    prose: Callable[[Random], Prose]
    """Who writes the texts."""


SAMPLE = Shape("sample", (30, 110), (40, 220), (30, 60), (1, 3), (1, 1), 60, 12, 6, Prose)
PRODUCTION = Shape(
    "production", (40, 3000), (280, 3640), (600, 2400), (1, 7), (2, 6), 10, 3000, 1536, WideProse
)
SHAPES = {shape.name: shape for shape in (SAMPLE, PRODUCTION)}


@dataclass(slots=True, frozen=True)
class Caller:
    """Who sends a request. An empty text is a value that Core does not know."""

    chat: str
    project: str
    user: str
    title: str
    personal: bool
    """Whether Core was told to log claims and headers."""


class World:
    """The dice, the calendar and the sizes."""

    def __init__(self, seed: int, shape: Shape) -> None:
        self.dice = Random(seed)
        self.shape = shape
        self.prose = shape.prose(self.dice)
        self.millisecond = int((START - EPOCH).total_seconds()) * 1000

    def chance(self, probability: float) -> bool:
        """Throw a coin that is not fair."""
        return self.dice.random() < probability

    def pick(self, things: Sequence[T]) -> T:
        """Draw one of the things."""
        return self.dice.choice(things)

    def between(self, bounds: tuple[int, int]) -> int:
        """Draw a number within bounds, both included."""
        return self.dice.randint(*bounds)

    def hex(self, digits: int) -> str:
        """Draw an identifier of hexadecimal digits."""
        return f"{self.dice.getrandbits(4 * digits):0{digits}x}"

    def uuid(self) -> str:
        """Draw an identifier that looks like a UUID."""
        return "-".join(self.hex(digits) for digits in (8, 4, 4, 4, 12))

    def question(self, language: str) -> str:
        """Write what somebody asks."""
        return self.prose.question(language, self.prose.length(self.shape.question))

    def answer(self, language: str) -> str:
        """Write what a model answers."""
        return self.prose.document(language, self.between(self.shape.answer))

    def caller(self) -> Caller:
        """Meet somebody who sends requests."""
        return Caller(
            chat=self.uuid() if self.chance(0.8) else "",
            project=self.pick(("", "help-desk", "data=lab", "sandbox 7")),
            user=self.hex(64),
            title=self.pick(TITLES) if self.chance(0.8) else "",
            personal=self.chance(0.3),
        )

    def wait(self) -> int:
        """Let some time go by; tell the millisecond."""
        self.millisecond += self.between((1, 1800))
        if self.chance(0.04):  # a full second: Core then writes no fraction
            self.millisecond += -self.millisecond % 1000
        return self.millisecond


def written_time(millisecond: int) -> str:
    """Write a time as Core does: UTC without saying so, and no fraction when it is zero."""
    moment = EPOCH.replace(tzinfo=None) + timedelta(milliseconds=millisecond)
    return moment.isoformat(timespec="milliseconds").removesuffix(".000")
