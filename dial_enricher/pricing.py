"""Price: what the log says, else what MODEL_RATES makes of tokens or characters."""

from decimal import Decimal

from dial_enricher.event import Event, Exchange, Usage
from dial_enricher.rates import Rate, Rates, Unit
from dial_enricher.values import amount


class Pricing:
    """Prices exchanges by the log, else by the rates."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates

    def price(self, event: Event) -> None:
        """Fills in `price` and `deployment_price` of an exchange that has usage."""
        exchange = event.exchange
        if event.log is None or exchange is None or exchange.usage is None:
            return
        usage = exchange.usage
        if _needs_rates(exchange.measurement, usage):
            price = self._by_rates(exchange, usage)
            usage.price = usage.deployment_price = amount(float(price or 0), event.log.notes)

    def _by_rates(self, exchange: Exchange, usage: Usage) -> Decimal | None:
        """The price by the rates of the models that an application called, else by its own."""
        parts = [
            rate.price(part.prompt_tokens or 0, part.completion_tokens or 0)
            for model, part in exchange.usage_per_model
            if (rate := self._rates.get(model)) and rate.unit is Unit.TOKEN
        ]
        if parts:
            return sum(parts, Decimal(0))
        columns = exchange.columns
        for name in (columns.get("deployment"), columns.get("model")):
            if rate := self._rates.get(name or ""):
                return _price(rate, exchange, usage)
        return None


def _needs_rates(measurement: str, usage: Usage) -> bool:
    """Whether the log leaves the price to the rates.

    In `analytics` a missing price marks a deployment without prices, even beside a deployment_price:
    the reference server reads it so. Elsewhere the two are independent.
    """
    if measurement == "analytics":
        return usage.price is None
    return usage.price is None and usage.deployment_price is None


def _price(rate: Rate, exchange: Exchange, usage: Usage) -> Decimal:
    if rate.unit is Unit.TOKEN:
        return rate.price(usage.prompt_tokens or 0, usage.completion_tokens or 0)
    texts = exchange.texts()
    return rate.price(_characters(texts.request), _characters(texts.answer))


def _characters(parts: list[str]) -> int:
    """Characters that are not white space (`str.isspace`)."""
    return sum(len("".join(part.split())) for part in parts)
