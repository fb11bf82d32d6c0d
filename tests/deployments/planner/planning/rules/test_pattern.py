"""Patterns over tokens."""

from __future__ import annotations

from datetime import date

import pytest

from deployments.planner.planning.rules.lexer import Lexer
from deployments.planner.planning.rules.pattern import Match, Pattern
from deployments.planner.planning.rules.scene import Scene
from deployments.planner.planning.rules.slots import SLOTS


def matched(source: str, text: str, start: int = 0) -> Match | None:
    """The pattern at a place of a text's tokens."""
    return Pattern(source, SLOTS).match(Scene(Lexer(lambda: date(2026, 3, 1)).tokens(text)), start)


def test_the_longest_way_through_wins() -> None:
    """`New York` is not left with `York` behind it."""
    match = matched("in {where:place} [now]", "in New York now")
    assert match is not None
    assert (match.end, match.captures) == (4, {"where": "America/New_York"})
    match = matched("(day|day of week)", "day of week")
    assert match is not None
    assert match.end == 3


def test_options_are_tried_until_the_rest_matches() -> None:
    """An option that takes too much is gone back on."""
    match = matched("[how many] (days|days left) until {end:date}", "days left until 2026-03-09")
    assert match is not None
    assert match.captures == {"end": "2026-03-09"}
    assert matched("[how many] days until {end:date}", "days left until 2026-03-09") is None


def test_chinese_words_are_matched_sign_by_sign() -> None:
    """Nothing says where a word ends."""
    assert matched("{start:date} 到 {end:date} (多少天)", "2024-01-01到2024-01-02多少天") is not None


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("a [b", "does not close a bracket"),
        ("a b]", "closes a bracket that it does not open"),
        ("{x:colour}", "unknown slot 'colour'"),
    ],
)
def test_a_pattern_that_is_miswritten_is_refused_when_it_is_compiled(source: str, fault: str) -> None:
    """Otherwise it would match nothing, and nobody would know."""
    with pytest.raises(ValueError, match=fault):
        Pattern(source, SLOTS)
