"""How large a JSON value is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.planner.size import MAX_DEPTH, cut, size

PLAIN = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters='"\\'), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PLAIN
VALUES = st.recursive(SCALARS, lambda one: st.lists(one, max_size=4) | st.dictionaries(PLAIN, one, max_size=4))


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(value=VALUES)
def test_the_size_is_about_that_of_the_compact_text(value: Any) -> None:
    """Never much less, or a limit would let more through; never more than a separator for each part."""
    compact = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    counted = size(value, 10**9)
    assert 0.75 * len(compact) <= counted <= 2 * len(compact) + 2


def test_a_value_above_the_limit_is_not_counted_to_its_end() -> None:
    """Sixty doublings of one text would take for ever to write out, and are told to be too large at once."""
    value: Any = "x" * 100
    for _ in range(60):
        value = [value, value]
    assert size(value, 1000) > 1000


def test_what_json_cannot_say_is_no_value() -> None:
    """It would break whoever writes it out later: the journal, an event, the next tool."""
    deep: Any = 1
    for _ in range(MAX_DEPTH + 1):
        deep = [deep]
    for value in (float("nan"), {1: 2}.keys(), b"bytes", "\ud800", deep):
        with pytest.raises(ValueError, match=r"."):
            size(value, 10**6)


def test_a_large_value_is_shown_by_the_beginning_of_its_text() -> None:
    """In whole characters, within the bytes; a small one is shown as it is."""
    assert cut({"a": 1}, 100) == ({"a": 1}, False)
    assert cut(["é" * 100], 21) == ('["' + "é" * 9, True)
