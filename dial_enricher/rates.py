"""MODEL_RATES: what a token or a character costs, for deployments that DIAL Core has no price for."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from dial_enricher import jsontext
from dial_enricher.errors import SettingError

_TOO_DEAR = Decimal(10) ** 100
"""No price; it keeps products within what Decimal can hold."""


class Unit(StrEnum):
    TOKEN = "token"
    CHARACTER = "char_without_whitespace"


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of one unit, in whatever currency the operator thinks in."""

    unit: Unit
    prompt_price: Decimal
    completion_price: Decimal

    def price(self, prompt_units: int, completion_units: int) -> Decimal:
        return self.prompt_price * prompt_units + self.completion_price * completion_units


Rates = Mapping[str, Rate]
"""By name of a deployment or a model."""


def parse_rates(document: str | bytes, source: str) -> Rates:
    """Reads the JSON of MODEL_RATES; `source` is what an error names.

    `{name: {"unit": "token" | "char_without_whitespace", "prompt_price": "...", "completion_price": "..."}}`;
    a missing price is 0. Raises SettingError that names the entry and what is expected there.
    """
    try:
        rates = jsontext.loads(document)
        if not isinstance(rates, dict):
            raise SettingError("expected a JSON object of model names to rates")
        return {name: _rate(name, rate) for name, rate in rates.items()}
    except (UnicodeDecodeError, jsontext.NotJson, SettingError) as error:
        raise SettingError(f"{source}: {error}") from None


def _rate(name: str, rate: Any) -> Rate:
    if not isinstance(rate, dict):
        raise SettingError(f"the rate of {name!r} must be an object")
    unit = rate.get("unit")
    if unit not in tuple(Unit):
        expected = " or ".join(repr(str(unit)) for unit in Unit)
        raise SettingError(f"the unit of {name!r} must be {expected}")
    return Rate(Unit(unit), _price(name, rate, "prompt_price"), _price(name, rate, "completion_price"))


def _price(name: str, rate: dict[str, Any], key: str) -> Decimal:
    value = rate.get(key)
    if value is None or value == "":
        return Decimal(0)
    try:
        price = Decimal(str(value))  # by its text: a float has lost the digits that were written
        is_price = 0 <= price < _TOO_DEAR and not isinstance(value, bool)
    except InvalidOperation:  # no number, or not a number
        is_price = False
    if not is_price:
        raise SettingError(f"the {key} of {name!r} must be a number, 0 or more")
    return price
