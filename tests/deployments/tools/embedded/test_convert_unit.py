"""Units."""

from __future__ import annotations

import pytest

from autoglm.errors import UnprocessableEntityError
from deployments.tools.embedded.units import TABLE, UNITS
from tests.deployments.tools.embedded.conftest import Call


@pytest.mark.parametrize(
    ("value", "origin", "target", "expected", "symbol"),
    [
        (100, "km", "miles", 62.13711922373339, "mi"),
        (5, "feet", "cm", 152.4, "cm"),
        (10, "pounds", "kg", 4.5359237, "kg"),
        (5, "斤", "公斤", 2.5, "kg"),
        (1, "US gallon", "litres", 3.785411784, "l"),
        (3, "亩", "平方米", 2000, "m²"),
        (60, "mph", "km/h", 96.56064, "km/h"),
        (36, "公里每小时", "m/s", 10, "m/s"),
        (100, "celsius", "Fahrenheit", 212, "°F"),
        (-40, "华氏度", "摄氏度", -40, "°C"),
        (0, "K", "°C", -273.15, "°C"),
        (1.5, "hours", "min", 90, "min"),
        (1, "GiB", "MB", 1073.741824, "MB"),
        (80, "Mbit", "MB", 10, "MB"),
        (1, "nautical miles", "km", 1.852, "km"),
    ],
)
def test_an_amount_is_converted(
    call: Call, value: float, origin: str, target: str, expected: float, symbol: str
) -> None:
    """By symbol and name, in English and in Chinese, to the last digit of a float."""
    found = call("convert_unit", value=value, from_unit=origin, to_unit=target)
    assert found == {"value": pytest.approx(expected, rel=1e-15), "unit": symbol}


def test_no_name_stands_for_two_units() -> None:
    """Of two rows the later one would win in silence."""
    names = [
        name.casefold() for rows in TABLE.values() for symbol, _, names in rows for name in {symbol, *names.split()}
    ]
    assert len(names) == len(UNITS)


@pytest.mark.parametrize(
    ("origin", "target", "param"), [("kg", "m", "to_unit"), ("parsec", "m", "from_unit"), ("m", "x" * 9999, "to_unit")]
)
def test_what_cannot_be_converted_is_refused(call: Call, origin: str, target: str, param: str) -> None:
    """With what would do."""
    with pytest.raises(UnprocessableEntityError) as refused:
        call("convert_unit", value=1, from_unit=origin, to_unit=target)
    assert refused.value.param == param
    assert len(refused.value.message) < 300
