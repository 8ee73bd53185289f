"""A small corpus that is made up: twenty subjects that are easy to tell apart, and some texts without one."""

import random
from collections.abc import Iterator
from typing import NamedTuple

SUBJECTS = {
    "cooking": "bake roast fry season | bread soup onions dough oven butter garlic sauce recipe dinner",
    "gardening": "plant prune water fertilise | roses tomatoes soil seeds hedge lawn compost tulips shrub",
    "python": "debug refactor import run | function decorator list class exception loop module script "
    "generator dictionary",
    "sql": "join index query normalise | database table column schema primary key transaction view row "
    "postgres trigger",
    "travel": "book visit cancel plan | hotel flight passport museum luggage airport beach visa tour",
    "football": "score pass defend win | goalkeeper penalty striker match league coach stadium referee "
    "corner team",
    "music": "play tune strum practise | guitar piano chord melody violin rhythm scale drums concert song",
    "pets": "feed train groom walk | puppy kitten leash dog cat vet fur litter kennel rabbit",
    "cars": "repair drive replace inspect | engine brakes tyre clutch battery gearbox radiator exhaust "
    "headlight mechanic",
    "taxes": "file deduct declare pay | income tax refund accountant deduction invoice salary revenue "
    "allowance audit",
    "astronomy": "observe measure photograph explain | planet galaxy telescope orbit moon comet star "
    "eclipse nebula asteroid",
    "chess": "open sacrifice castle checkmate | knight bishop pawn queen rook endgame gambit opening "
    "grandmaster board",
    "weddings": "invite marry toast celebrate | bride groom ceremony bouquet vows bridesmaid ring "
    "reception honeymoon cake",
    "health": "treat cure prevent diagnose | fever headache cough allergy infection doctor symptom "
    "medicine blood flu",
    "fitness": "lift stretch squat exercise | muscles push-ups treadmill gym barbell cardio workout "
    "dumbbells yoga plank",
    "rome": "conquer rule invade build | emperor legion Caesar senate gladiator aqueduct colosseum "
    "empire Hannibal republic",
    "chemistry": "dissolve heat oxidise titrate | acid molecule sodium reaction catalyst electron "
    "solution polymer ion compound",
    "careers": "apply interview negotiate hire | resume cover letter employer recruiter promotion job "
    "candidate manager internship vacancy",
    "fashion": "wear sew match iron | dress jacket shoes scarf fabric trousers sleeves wardrobe skirt button",
    "sailing": "sail anchor moor steer | yacht mast rudder harbour keel jib boat regatta sailor wind",
}
"""The words of each subject: what one does, and with what."""
UNLABELLED = "sailing"
"""The subject that nobody has named."""
FRAMES = (
    "How do I {do} the {one} without ruining the {two}?",
    "What is the best way to {do} a {one} when there is a {two} as well",
    "Please explain the difference between the {one} and the {two}, and when to {do} them.",
    "I tried to {do} my {one} yesterday but the {two} and the {three} got in the way. What now?",
    "Write a short guide for beginners: {one}, {two}, {three}, and how to {do} them.",
    "Should the {one} or the {two} come first if I want to {do} it?",
    "Give me five tips to {do} any {one} with a {two}",
    "Why does my {one} never go together with the {two}? My friend says I should {do} the {three} instead.",
)
FOREIGN = (
    "Kannst du mir bitte {one} und {two} erklären, damit ich es morgen verstehe?",
    "Explícame por favor qué significa {one} y por qué {two} es tan importante.",
    "Peux-tu m'aider à comprendre {one} ainsi que {two} avant demain matin ?",
)
FOREIGN_WORDS = "Haus Zeit Wetter Straße Freude ciudad tiempo gente camino alegría maison temps rue soleil"
EACH = 95
"""Texts of a subject."""
STRANGE = 100
"""Texts in other languages."""


class Text(NamedTuple):
    """A text, and what it is about."""

    text: str
    subject: str
    """One of SUBJECTS, or `none`."""
    labelled: bool
    """Whether a reviewer has seen it."""


def corpus(seed: int = 5) -> list[Text]:
    """2,000 texts, none twice, in an order of no meaning; two thirds are labelled."""
    chance = random.Random(seed)
    rows = [
        Text(text, subject, subject != UNLABELLED and number % 3 > 0)
        for subject, words in SUBJECTS.items()
        for number, text in enumerate(_several(_about(words, chance), EACH))
    ]
    rows += [Text(text, "none", True) for text in _several(_foreign(chance), STRANGE)]
    chance.shuffle(rows)
    return rows


def _about(words: str, chance: random.Random) -> Iterator[str]:
    deeds, things = (part.split() for part in words.split(" | "))
    while True:
        one, two, three = chance.sample(things, 3)
        yield chance.choice(FRAMES).format(do=chance.choice(deeds), one=one, two=two, three=three)


def _foreign(chance: random.Random) -> Iterator[str]:
    while True:
        one, two = chance.sample(FOREIGN_WORDS.split(), 2)
        yield chance.choice(FOREIGN).format(one=one, two=two)


def _several(texts: Iterator[str], count: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        found[next(texts)] = None
    return list(found)
