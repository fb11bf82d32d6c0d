"""What of a request is read."""

from __future__ import annotations

from typing import Any

import pytest

from deployments.router.semantic.text import text_of


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
