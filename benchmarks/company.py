"""Requests as a company sends them: the same people come again, each with one job, project and language.

The plain generator meets somebody new for each request, so that users and chats would be as many as requests.
"""

from dataclasses import dataclass
from itertools import accumulate

from tests.dialcore import Generator
from tests.dialcore.prose import Prose
from tests.dialcore.world import PRODUCTION, Caller, World

PEOPLE = 1000
TITLES = 40
PROJECTS = 12
NEW_CHAT = 0.2
"""How often a request begins a new chat: a chat has five requests on average."""
WITHOUT_CHAT = 0.2
"""How often a program asks, which has no chats."""


@dataclass(slots=True)
class Person:
    user: str
    title: str
    project: str
    language: str
    chat: str


class Company(World):
    """A world with a staff. Few ask much, and many ask little."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, PRODUCTION)
        self._staff = [
            Person(
                user=self.hex(64),
                title=f"Job {self.between((1, TITLES))}",
                project=f"project-{self.between((1, PROJECTS))}",
                language=self.prose.language(),
                chat=self.uuid(),
            )
            for _ in range(PEOPLE)
        ]
        self._activity = list(accumulate(1 / rank for rank in range(1, PEOPLE + 1)))
        self.prose = self._speech = Speech(self.dice)

    def caller(self) -> Caller:
        """Meet one of the staff; what is said from then on is in that person's language."""
        (person,) = self.dice.choices(self._staff, cum_weights=self._activity)
        self._speech.spoken = person.language
        if self.chance(NEW_CHAT):
            person.chat = self.uuid()
        chat = "" if self.chance(WITHOUT_CHAT) else person.chat
        return Caller(chat, person.project, person.user, person.title, personal=False)


class Speech(Prose):
    """Texts in the language of whoever was met last."""

    spoken = "en"

    def language(self) -> str:
        """Tell the language."""
        return self.spoken


class CompanyLog(Generator):
    """Writes the log of a company; the same seed gives the same bytes."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, PRODUCTION.name)
        self._world = Company(seed)
