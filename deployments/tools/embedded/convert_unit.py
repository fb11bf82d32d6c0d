"""The tool `convert_unit`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from autoglm.tool import tool
from deployments.tools.embedded.refusal import refused
from deployments.tools.embedded.units import TABLE, UNITS, Unit, unit_of

Finite = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Amount:
    """`unit` by its symbol."""

    value: float
    unit: str


@tool(idempotent=True)
def convert_unit(value: Finite, from_unit: str, to_unit: str) -> Amount:
    """Convert an amount from one unit into another: length, mass or weight, volume, area, temperature, speed, time,
    data; kilometres to miles, pounds to kilograms, Celsius to Fahrenheit. Gallons and pints are those of the US.
    单位 换算 转换 长度 重量 体积 面积 温度 速度 公里 英里 公斤 磅 斤 摄氏 华氏

    Args:
        value: the amount
        from_unit: its unit, by symbol or name, such as km, miles or 公里
        to_unit: the unit to convert into
    """
    origin, target = known(from_unit, "from_unit"), known(to_unit, "to_unit")
    if origin.quantity != target.quantity:
        symbols = ", ".join(row[0] for row in TABLE[origin.quantity])
        raise refused(
            "to_unit",
            f"{target.symbol} is of {target.quantity}, {origin.symbol} of {origin.quantity}; one of {symbols} would do",
        )
    try:
        return Amount(float(origin.into(target, Fraction(repr(value)))), target.symbol)
    except OverflowError:
        raise refused("value", "is too large to be converted") from None


def known(name: str, param: str) -> Unit:
    """The unit of a name."""
    unit = unit_of(name)
    if unit is None:
        near = difflib.get_close_matches(name[:50].casefold(), UNITS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "a symbol or a name such as km, pounds or 摄氏度 would do"
        raise refused(param, f"{name[:50]!r} is no known unit; {hint}")
    return unit
