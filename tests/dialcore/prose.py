"""Texts in many languages, from sentences written for this purpose (`sentences.json`)."""

import json
from pathlib import Path
from random import Random

SENTENCES: dict[str, list[str]] = json.loads((Path(__file__).parent / "sentences.json").read_text("utf-8"))
ENGLISH_SHARE = 0.4
UNSPACED = ("zh", "ja")

_BLOCKS = (
    '```python\ndef total(rows):\n    """Sum them."""\n    return sum(row["amount"] for row in rows)\n```',
    "```sql\nSELECT city, count(*) AS orders\nFROM delivery\nWHERE day >= '2026-01-01'\nGROUP BY city;\n```",
    "```bash\nfor name in *.csv; do\n\tcut -c 1-20 '$name' > 'out/$name'\ndone\n```",
    '```json\n{"name": "pump-7", "limits": {"low": 0.5, "high": 12}, "tags": ["water", "cold"]}\n```',
    "```\nC:\\logs\\export\\2026\\03.txt\n```",
    "1. https://wiki.example.org/howto/export?lang=en&step=2\n2. https://shop.example.com/a/b/c#d",
    "| part | pieces |\n|---|---|\n| bolt | 40 |\n| nut | 38 |",
    "\N{GRINNING FACE} 2 \N{MULTIPLICATION SIGN} 3 = 6\N{LINE SEPARATOR}\N{WHITE HEAVY CHECK MARK}",
)


class Prose:
    """Writes texts by chance."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._languages = list(SENTENCES)

    def language(self) -> str:
        """Choose a language, most often English."""
        return "en" if self._dice.random() < ENGLISH_SHARE else self._dice.choice(self._languages)

    def length(self, bounds: tuple[int, int]) -> int:
        """How long a question is."""
        return self._dice.randint(*bounds)

    def question(self, language: str, length: int) -> str:
        """Write what somebody asks."""
        return self.text(language, length)

    def text(self, language: str, length: int) -> str:
        """Write whole sentences, about that many characters of them."""
        gap = "" if language in UNSPACED else " "
        written: list[str] = []
        while length > 0:
            written.append(self._dice.choice(SENTENCES[language]))
            length -= len(written[-1]) + len(gap)
        return gap.join(written)

    def document(self, language: str, length: int) -> str:
        """Write paragraphs, and among them a piece of code, a table or a list of addresses."""
        paragraphs: list[str] = []
        while length > 0:
            if self._dice.random() < 0.2:
                paragraphs.append(self.block())
            paragraphs.append(self.text(language, min(length, self._dice.randint(60, 500))))
            length -= sum(map(len, paragraphs[-2:]))
        return "\n\n".join(paragraphs)

    def block(self) -> str:
        """Write a piece of code, a table or a list of addresses."""
        return self._dice.choice(_BLOCKS)
