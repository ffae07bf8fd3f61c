"""What a paid call costs, in whole micro-dollars, rounded up."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

_TABLE = Path(__file__).parent / "prices.toml"


@dataclass(frozen=True)
class Tokens:
    """What a language model counted; `input` holds the cached ones too."""

    input: int
    output: int
    cache_write: int = 0
    cache_read: int = 0


def text_microusd(vendor: str | None, model: str, tokens: Tokens) -> int | None:
    """The price of an answer, by `genai-prices`, else by prices.toml; None if neither knows."""
    from genai_prices import Usage, calc_price

    usage = Usage(
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        cache_write_tokens=tokens.cache_write,
        cache_read_tokens=tokens.cache_read,
    )
    try:
        return microusd(calc_price(usage, model, provider_id=vendor).total_price)
    except LookupError:
        pass
    price = prices("text").get(model)
    if price is None:
        return None
    total = tokens.input * Decimal(str(price["input"]))
    return math.ceil(total + tokens.output * Decimal(str(price["output"])))


def voice_microusd(model: str, characters: int) -> int | None:
    """The price of speech by its characters; None for a model that prices.toml lacks."""
    price = prices("voice").get(model)
    if price is None:
        return None
    return microusd(Decimal(str(price["characters"])) * characters / 1000)


def microusd(dollars: Decimal) -> int:
    """Dollars in micro-dollars, rounded up: a cap must not be passed by rounding."""
    return math.ceil(dollars * 1_000_000)


@cache
def prices(kind: str) -> dict[str, Any]:
    """The table of a kind, "text" or "voice", by model."""
    table: dict[str, Any] = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return dict(table[kind])
