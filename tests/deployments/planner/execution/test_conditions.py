"""Whether a step's condition holds."""

from __future__ import annotations

from typing import Any

import pytest

from autoglm.contract.plan import Condition
from autoglm.errors import UnprocessableEntityError
from deployments.planner.execution.conditions import holds

RESULTS = {"a": {"n": 3, "s": "abc", "l": [1, "x"], "t": True, "none": None}}


@pytest.mark.parametrize(
    ("ref", "op", "value", "expected"),
    [
        ("a.n", "eq", 3.0, True),
        ("a.t", "eq", 1, False),
        ("a.t", "ne", 1, True),
        ("a.l", "eq", [1, "x"], True),
        ("a.n", "lt", 3, False),
        ("a.n", "le", 3, True),
        ("a.n", "gt", 2.5, True),
        ("a.s", "ge", "abd", False),
        ("a.n", "in", [1, 2, 3], True),
        ("a.t", "in", [1, 2], False),
        ("a.s", "in", "xabcx", True),
        ("a.l", "contains", "x", True),
        ("a.s", "contains", "bc", True),
        ("a", "contains", "n", True),
        ("a.none", "exists", None, True),
        ("a.m", "exists", None, False),
        ("a.m", "exists", False, True),
        ("b", "exists", True, False),
    ],
)
def test_a_condition_compares_as_json_does(ref: str, op: Any, value: Any, expected: bool) -> None:
    """True is not 1, null is there, and what is not there is asked for with `exists` alone."""
    assert holds(Condition(ref=f"${{{ref}}}", op=op, value=value), RESULTS) is expected


@pytest.mark.parametrize(("ref", "op", "value"), [("a.n", "lt", "4"), ("a.t", "gt", 0), ("a.n", "contains", 3)])
def test_what_cannot_be_compared_is_an_error(ref: str, op: Any, value: Any) -> None:
    """A guess in either direction would run, or leave out, what nobody meant."""
    with pytest.raises(UnprocessableEntityError, match="cannot be compared so"):
        holds(Condition(ref=f"${{{ref}}}", op=op, value=value), RESULTS)
