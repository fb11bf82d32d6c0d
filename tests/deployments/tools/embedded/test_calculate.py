"""Arithmetic."""

from __future__ import annotations

import ast
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoglm.errors import UnprocessableEntityError
from deployments.tools.embedded.arithmetic import ArithmeticFault, compute
from tests.deployments.tools.embedded.conftest import Call


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("17 * 23 + 43", 434),
        ("0.1 + 0.2", 0.3),
        ("1/3*3", 1),
        ("2**3**2", 512),
        ("-2**2", -4),
        ("2**-1", 0.5),
        ("7 // 2 + -7 % 3", 5),
        ("(1 + 2) * (3 - 1.5)", 4.5),
        ("2^10", 1024),
        ("2\N{MULTIPLICATION SIGN}3\N{DIVISION SIGN}4", 1.5),
        ("sqrt(16) + abs(-1)", 5),
        ("sqrt(2)", math.sqrt(2)),
        ("round(2.5) + round(2.675, 2)", 5.68),
        ("mean(1, 2, 3, 4) + median(5, 1, 3)", 5.5),
        ("min(3, 1, 2) + max(3, 1, 2) + sum(1, 2)", 7),
        ("log(e) + log10(100) + log(8, 2) + exp(0)", 7),
        ("factorial(20)", 2432902008176640000),
        ("1 ** 10 ** 9", 1),
        ("4 ** 0.5", 2),
    ],
)
def test_an_expression_has_its_exact_value(call: Call, expression: str, value: float) -> None:
    """With Python's precedence, decimal fractions as they are written, and people's rounding."""
    assert call("calculate", expression=expression) == {"value": pytest.approx(value, rel=1e-15)}


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("1 / 0", "division by zero"),
        ("0 ** -1", "division by zero"),
        ("0 ** -0.5", "division by zero"),
        ("sqrt(-1)", "negative"),
        ("(1", "expected, got the end"),
        ("1 2", "'2' at 3"),
        ("import os", "'import' at 1 is no function"),
        ("().__class__", "no number"),
        ("min()", "no number"),
        ("round(1, 2, 3)", "1 to 2 arguments"),
        ("9 ** 9 ** 9", "1200 digits"),
        ("2 ** 99999 % 7", "1200 digits"),
        ("10 ** 5000.5", "1200 digits"),
        ("(-8) ** 0.5", "no fractional power"),
        ("1e9999", "1200 digits"),
        ("factorial(100000)", "0 to 500"),
        ("exp(1e300)", "no value"),
        ("(" * 60 + "1" + ")" * 60, "levels"),
        ("1+" * 600 + "1", "1000 characters"),
        ("", "the end"),
    ],
)
def test_what_is_no_expression_or_has_no_bearable_value_is_refused(call: Call, expression: str, told: str) -> None:
    """In no time, with the place or the reason."""
    with pytest.raises(UnprocessableEntityError) as refused:
        call("calculate", expression=expression)
    assert told in refused.value.message
    assert refused.value.param == "expression"


NUMBERS = st.integers(0, 99).map(str)
EXPRESSIONS = st.recursive(
    NUMBERS,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner)
        | st.builds("-{}".format, inner)
    ),
    max_leaves=12,
)


@given(EXPRESSIONS)
def test_it_agrees_with_python(expression: str) -> None:
    """Up to what floats lose."""
    try:
        expected = eval(compile(ast.parse(expression, mode="eval"), "", "eval"))
    except ZeroDivisionError:
        with pytest.raises(ArithmeticFault):
            compute(expression)
        return
    if "/" not in expression:  # whose rounding another floor division or remainder may make much of
        assert compute(expression) == expected
