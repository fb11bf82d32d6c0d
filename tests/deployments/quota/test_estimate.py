"""Estimates of tokens: near for prose, exact for the completion, and never below a quarter of the bytes."""

from __future__ import annotations

import pytest

from deployments.quota.estimate import PER_TEXT, completion_tokens, prompt_tokens


@pytest.mark.parametrize(
    ("texts", "tokens"),
    [
        ([], 0),
        ([""], PER_TEXT),
        (["What is the capital of France?"], PER_TEXT + 8),
        (["hello", "world"], 2 * (PER_TEXT + 2)),
        (["日本語"], PER_TEXT + 3),
        (["🙂"], PER_TEXT + 1),
        (["\ud83d"], PER_TEXT + 1),
    ],
)
def test_a_prompt_is_a_quarter_of_its_bytes(texts: list[str], tokens: int) -> None:
    """Rounded up for each text, with what surrounds it; half a surrogate pair is no fault of ours."""
    assert prompt_tokens(texts) == tokens


@pytest.mark.parametrize(("max_tokens", "n", "tokens"), [(None, 1, 2048), (20, 1, 20), (20, 3, 60), (9000, 2, 4096)])
def test_a_completion_is_bounded_by_what_was_asked_for(max_tokens: int | None, n: int, tokens: int) -> None:
    """The engine ends it there; the cap is what the model can."""
    assert completion_tokens(max_tokens, n=n, cap=2048) == tokens
