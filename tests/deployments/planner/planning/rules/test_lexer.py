"""Numbers, dates, times and texts as people write them."""

from __future__ import annotations

from datetime import date

import pytest

from deployments.planner.planning.rules import numerals
from deployments.planner.planning.rules.lexer import Lexer
from deployments.planner.planning.rules.token import Expression

LEXER = Lexer(lambda: date(2026, 3, 1))


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1,234.5", "number", Expression("1234.5")),
        ("twenty-five", "number", Expression("25")),
        ("two dozen", "number", Expression("24")),
        ("三百二十", "number", Expression("320")),
        ("14 July 2025", "date", "2025-07-14"),
        ("July 4th, 1976", "date", "1976-07-04"),
        ("2024年2月1日", "date", "2024-02-01"),
        ("2024/2/1", "date", "2024-02-01"),
        ("yesterday", "date", "2026-02-28"),
        ("7:45 pm", "time", "19:45"),
        ("12 am", "time", "00:00"),
        ("noon", "time", "12:00"),
        ("下午3点半", "time", "15:30"),
        ("orders[1].total", "path", "orders[1].total"),
        ("“it's”", "text", "it's"),
        ("'the dog's day'", "text", "the dog's day"),
        ('{"a": [1]}', "json", {"a": [1]}),
    ],
)
def test_a_value_is_one_token(text: str, kind: str, value: object) -> None:
    """Whatever its form, it is read once and has a type."""
    assert [(token.kind, token.value) for token in LEXER.tokens(text)] == [(kind, value)]


@pytest.mark.parametrize("text", ["30 February 2024", "25:61", "don't", "the 's", "{a: 1}"])
def test_what_only_looks_like_a_value_is_none(text: str) -> None:
    """A date that does not exist, a time of no clock, an apostrophe, no JSON."""
    assert not {"date", "time", "text", "json"} & {token.kind for token in LEXER.tokens(text)}


def test_numbers_in_words_add_up() -> None:
    """Scales multiply what stands before them alone."""
    assert numerals.english(["two", "million", "three", "hundred", "five"]) == 2_000_305
    assert numerals.chinese("一万五千零二") == 15_002
