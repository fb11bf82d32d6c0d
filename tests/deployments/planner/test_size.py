"""How large a result is, and what is shown of a large one."""

from __future__ import annotations

from typing import Any

from deployments.planner.size import cut, size


def test_a_value_above_the_limit_is_not_counted_to_its_end() -> None:
    """Sixty doublings of one text would take for ever to write out, and are told to be too large at once."""
    value: Any = "x" * 100
    for _ in range(60):
        value = [value, value]
    assert size(value, 1000) == 1001


def test_a_large_value_is_shown_by_the_beginning_of_its_text() -> None:
    """In whole characters, within the bytes; a small one is shown as it is."""
    assert cut({"a": 1}, 100) == ({"a": 1}, False)
    assert cut(["é" * 100], 21) == ('["' + "é" * 9, True)
