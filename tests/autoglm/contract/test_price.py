"""Prices: exact, and rounded up."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from autoglm.contract.price import Price


@pytest.mark.parametrize(
    ("price", "tokens", "micros"),
    [
        (Price(), (10**6, 10**6), 0),
        (Price(prompt=0.5, completion=1.5), (1000, 100), 650),
        (Price(prompt=0.07), (100, 0), 7),
        (Price(prompt=0.07), (1, 0), 1),
        (Price(completion=0.1), (0, 3), 1),
    ],
)
def test_a_cost_is_exact_and_rounded_up(price: Price, tokens: tuple[int, int], micros: int) -> None:
    """100 tokens at 0.07 for a million are 7 millionths; as floats they would be 8."""
    assert price.cost_micros(*tokens) == micros


@pytest.mark.parametrize("rate", [-1, float("nan"), float("inf"), 2_000_000])
def test_a_price_is_a_sane_number(rate: float) -> None:
    """A negative one would pay for the call."""
    with pytest.raises(ValidationError):
        Price(prompt=rate)


def test_a_price_crosses_a_wire() -> None:
    """As JSON, without becoming a float on the way."""
    price = Price(prompt=0.07)
    assert Price.model_validate(price.model_dump(mode="json")) == price
