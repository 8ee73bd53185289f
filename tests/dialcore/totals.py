"""What a reader must find in a log."""

import json
from collections import Counter
from dataclasses import dataclass, field, fields
from decimal import Decimal

from tests.dialcore.escaping import CONTROL
from tests.dialcore.record import Line

NOTHING = Decimal(0)


@dataclass(slots=True)
class Totals:
    """Sums over the points that a log has to become, without any configured model rates.

    The tokens are those of all points; an application's points count its subtree again, as its prices do.
    """

    lines: int = 0
    """Physical lines."""
    records: int = 0
    """Log records: an envelope may hold several."""
    ignored: int = 0
    """Records of URIs that become no point."""
    dead: int = 0
    """Lines that nobody can read."""
    raw_control_lines: int = 0
    """Lines that are JSON only for a lenient reader."""
    points: Counter[str] = field(default_factory=Counter)
    """Points by measurement."""
    deployment_price: Decimal = NOTHING
    """Over all points."""
    root_price: Decimal = NOTHING
    """The price over the points without a parent: the same money, told another way."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_prompt_tokens: int = 0
    cache_write_prompt_tokens: int = 0
    reasoning_completion_tokens: int = 0
    number_request_messages: int = 0
    like_count: int = 0
    dislike_count: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """Records by what they are."""
    traps: Counter[str] = field(default_factory=Counter)
    """Records by what is odd about them."""

    def add(self, line: Line) -> None:
        """Count one line."""
        self.lines += 1
        self.raw_control_lines += CONTROL.search(line.text) is not None
        for record in line.records:
            self.records += 1
            self.kinds[record.call.kind] += 1
            self.traps.update(record.traps)
            if line.dead:
                self.dead += 1
            elif not record.call.measurement:
                self.ignored += 1
            else:
                self.points[record.call.measurement] += record.call.points
                self.deployment_price += record.deployment_price
                self.root_price += record.price if record.root else NOTHING
                self.prompt_tokens += record.usage.prompt
                self.completion_tokens += record.usage.completion
                self.cached_prompt_tokens += record.usage.cached
                self.cache_write_prompt_tokens += record.usage.cache_write
                self.reasoning_completion_tokens += record.usage.reasoning
                self.number_request_messages += record.messages
                self.like_count += record.call.rate is True
                self.dislike_count += record.call.rate is False

    def to_json(self) -> str:
        """Write the totals as JSON; money as text, because it is exact."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        for name in ("points", "kinds", "traps"):
            plain[name] = dict(sorted(plain[name].items()))
        return json.dumps(plain, indent=2, default=str) + "\n"
