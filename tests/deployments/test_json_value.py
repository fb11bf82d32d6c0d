"""How large a JSON value is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.json_value import MAX_DEPTH, NotJsonError, OversizeError, size_of

PLAIN = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters='"\\'), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PLAIN
VALUES = st.recursive(SCALARS, lambda one: st.lists(one, max_size=4) | st.dictionaries(PLAIN, one, max_size=4))


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(value=VALUES)
def test_the_size_is_about_that_of_the_compact_text(value: Any) -> None:
    """Never much less, or a limit would let more through; never more than a separator for each part."""
    compact = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    assert 0.75 * len(compact) <= size_of(value, 10**9) <= 2 * len(compact) + 2


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
