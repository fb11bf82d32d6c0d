"""What of a request is read, and in which form."""

from __future__ import annotations

from typing import Any

import pytest

from deployments.router.semantic.text import MAX_CHARS, normalised, text_of


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


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}, "a"),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "c"}]}, "c"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}]}]},
            "a",
        ),
        ({"messages": [{"role": "system", "content": "brief"}]}, ""),
        ({"messages": [{"role": "user", "content": None}]}, ""),
        ({"prompt": "p"}, "p"),
        ({"prompt": ["p", "q"]}, "p"),
        ({"prompt": [1, 2]}, ""),
        ({"inputs": ["i", "j"]}, "i"),
        ({"inputs": [[5.1, 3.5]]}, ""),
        ({"inputs": []}, ""),
    ],
)
def test_the_text_of_a_request(request_: dict[str, Any], text: str) -> None:
    """The last user's turn, the first prompt, the first input; nothing where that is no text."""
    assert text_of(request_) == text
