"""Texts as various as those of many people: what the log of a benchmark holds (`tests.dialcore.tongue`)."""

from collections.abc import Callable
from math import exp, log
from random import Random

from tests.dialcore.prose import UNSPACED, Prose
from tests.dialcore.tongue import Tongue, tongue

BLOCK_IN_QUESTION = 0.15
BLOCK_IN_ANSWER = 0.15
"""Of its paragraphs."""
Block = Callable[[Tongue, Random], str]


class WideProse(Prose):
    """Writes texts of which no two are the same."""

    def length(self, bounds: tuple[int, int]) -> int:
        """Most are short and a few are long: someone has pasted a mail or a log into them."""
        least, most = bounds
        return round(exp(self._dice.uniform(log(least), log(most))))

    def question(self, language: str, length: int) -> str:
        """Write what somebody asks, sometimes about a piece of code."""
        text = self.text(language, length)
        return f"{text}\n\n{self.block()}" if self._dice.random() < BLOCK_IN_QUESTION else text

    def text(self, language: str, length: int) -> str:
        """Write whole sentences, about that many characters of them."""
        speaker = tongue(language)
        gap = "" if language in UNSPACED else " "
        written: list[str] = []
        while length > 0:
            written.append(speaker.sentence(self._dice))
            length -= len(written[-1]) + len(gap)
        return gap.join(written)

    def document(self, language: str, length: int) -> str:
        """Write paragraphs, and among them a piece of code or the like."""
        paragraphs: list[str] = []
        while length > 0:
            if self._dice.random() < BLOCK_IN_ANSWER:
                paragraphs.append(self.block())
            else:
                paragraphs.append(self.text(language, min(length, self._dice.randint(60, 500))))
            length -= len(paragraphs[-1])
        return "\n\n".join(paragraphs)

    def block(self) -> str:
        """Write a piece of code, a table, a log or a list of addresses."""
        return self._dice.choice(_BLOCKS)(tongue("en"), self._dice)


def _word(english: Tongue, dice: Random) -> str:
    return english.name(dice, proper=False).lower() or "x"


def _python(english: Tongue, dice: Random) -> str:
    one, other, key = (_word(english, dice) for _ in range(3))
    return (
        f"```python\ndef {one}({other}):\n    # {english.sentence(dice)}\n"
        f'    return sum(row["{key}"] * {dice.randint(2, 900)} for row in {other})\n```'
    )


def _sql(english: Tongue, dice: Random) -> str:
    table, column, other = (_word(english, dice) for _ in range(3))
    since = f"{dice.randint(1990, 2026)}-0{dice.randint(1, 9)}-01"
    select = f"SELECT {column}, count(*) AS {other}\nFROM {table}\nWHERE day >= '{since}'"
    return f"```sql\n{select}\nGROUP BY {column};\n```"


def _json(english: Tongue, dice: Random) -> str:
    def row() -> str:
        name, key = english.name(dice, proper=True), _word(english, dice)
        return f'  {{"{_word(english, dice)}": "{name}", "{key}": {dice.randrange(9999)}}}'

    return "```json\n[\n" + ",\n".join(row() for _ in range(dice.randint(1, 6))) + "\n]\n```"


def _trace(english: Tongue, dice: Random) -> str:
    def step() -> str:
        package, method = _word(english, dice), _word(english, dice)
        name = english.name(dice, proper=True)
        return f"    at com.{package}.{name}.{method}({name}.java:{dice.randint(3, 900)})"

    error = f"java.lang.IllegalStateException: {english.sentence(dice)}"
    return "\n".join([error, *(step() for _ in range(dice.randint(2, 8)))])


def _records(english: Tongue, dice: Random) -> str:
    def record() -> str:
        hour, minute, second = dice.randrange(24), dice.randrange(60), dice.randrange(60)
        level, service = (
            dice.choice(("INFO", "WARN", "ERROR")),
            f"{_word(english, dice)}-{dice.randrange(99)}",
        )
        return f"{hour:02d}:{minute:02d}:{second:02d} {level} [{service}] {english.sentence(dice)}"

    return "```\n" + "\n".join(record() for _ in range(dice.randint(2, 5))) + "\n```"


def _table(english: Tongue, dice: Random) -> str:
    rows = (f"| {_word(english, dice)} | {english.number(dice)} |" for _ in range(dice.randint(2, 8)))
    return f"| {_word(english, dice)} | {_word(english, dice)} |\n|---|---|\n" + "\n".join(rows)


def _addresses(english: Tongue, dice: Random) -> str:
    def address() -> str:
        host, page = _word(english, dice), _word(english, dice)
        return f"https://{host}.example.org/{page}?id={dice.randrange(10**6)}"

    return "\n".join(f"{number}. {address()}" for number in range(1, dice.randint(2, 5)))


def _shell(english: Tongue, dice: Random) -> str:
    command, name = _word(english, dice), _word(english, dice)
    step = f"{command} -n {dice.randint(2, 99)} '${name}' > 'out/${name}'"
    return f"```bash\nfor {name} in *.csv; do\n\t{step}\ndone\n```"


_BLOCKS: tuple[Block, ...] = (_python, _sql, _json, _trace, _records, _table, _addresses, _shell)
