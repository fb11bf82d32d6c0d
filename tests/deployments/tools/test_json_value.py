"""How large a JSON value is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.tools.json_value import MAX_DEPTH, NotJsonError, OversizeError, size_of

LEAVES = st.none() | st.booleans() | st.integers(0, 10**6) | st.text("abcé漢", max_size=20)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text("ab漢"), inner), max_leaves=30)


@given(VALUES)
def test_the_size_is_about_that_of_the_compact_text(value: Any) -> None:
    """Within a few bytes a part, so that a limit means what it says."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert abs(size_of(value, 10**6) - len(text.encode())) <= 2 * text.count(",") + 2 * text.count("[") + 9


def test_a_value_that_is_shared_counts_in_every_place() -> None:
    """Sixty levels of pairs are 2^60 values on the wire; it is found out at once."""
    value: Any = "x"
    for _ in range(60):
        value = [value, value]
    with pytest.raises(OversizeError):
        size_of(value, 10**6)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: 2}, {"a": {2}}, object(), "\ud800"])
def test_what_json_does_not_have_is_told(value: Any) -> None:
    """It would be null, or an error, somewhere further on."""
    with pytest.raises(NotJsonError):
        size_of(value, 1000)


def test_a_value_that_is_too_deep_is_none() -> None:
    """Readers that recurse would fail on it."""
    value: Any = []
    for _ in range(MAX_DEPTH + 1):
        value = [value]
    with pytest.raises(NotJsonError, match="levels"):
        size_of(value, 10**6)
