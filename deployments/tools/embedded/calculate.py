"""The tool `calculate`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from autoglm.tool import tool
from deployments.tools.embedded.arithmetic import ArithmeticFault, compute
from deployments.tools.embedded.refusal import refused


@dataclass(frozen=True, slots=True)
class Value:
    """A whole number, or the nearest float."""

    value: int | float


@tool(idempotent=True)
def calculate(expression: str) -> Value:
    """Calculate an arithmetic expression exactly: plus, minus, times, divided by, remainder, power, square root,
    average, rounding, minimum, maximum, sum. 计算 算术 加 减 乘 除 余数 次方 平方根 平均 最大 最小 求和 多少

    Args:
        expression: such as "17 * 23 + (4 - 1) ** 2"; operators + - * / // % **, parentheses, and functions such as
            sqrt, round, abs, min, max, sum, mean, median, log, exp
    """
    try:
        return Value(number(compute(expression)))
    except ArithmeticFault as fault:
        raise refused("expression", str(fault)) from None


def number(value: Fraction) -> int | float:
    """As JSON has it."""
    if value.denominator == 1:
        return value.numerator
    try:
        return float(value)
    except OverflowError:
        raise ArithmeticFault("the value is beyond 1e308 and no whole number") from None
