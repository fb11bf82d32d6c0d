"""The form that texts are compared in."""

from __future__ import annotations

import pytest

from deployments.meaning.text import MAX_CHARS, normalised


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("  Where\tis\n my CARD? ", "where is my card?"),
        ("Ｃａｒｄ № 1", "card no 1"),  # noqa: RUF001
        ("Straße", "strasse"),
        ("half \ud83d a pair", "half ? a pair"),
        (" \n ", ""),
    ],
)
def test_texts_that_read_alike_are_one(text: str, form: str) -> None:
    """Width, case and spaces are not what a text says."""
    assert normalised(text) == form


@pytest.mark.parametrize("text", ["x" * 10_000, "\ufdfa" * MAX_CHARS])
def test_a_text_is_cut_before_and_after_it_is_unfolded(text: str) -> None:
    """One character of the second kind becomes eighteen."""
    assert len(normalised(text)) <= MAX_CHARS
