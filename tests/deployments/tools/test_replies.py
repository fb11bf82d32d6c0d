"""What is kept of the results."""

from __future__ import annotations

import pytest

from autoglm.errors import UnprocessableEntityError
from deployments.tools.replies import Replies


class Ticks:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_reply_is_kept_for_its_time() -> None:
    """And for its own key and tool alone."""
    ticks = Ticks()
    replies = Replies(ticks, kept_s=10)
    replies.keep(("a", "k"), 1, "digest", 1)
    ticks.now = 9.9
    reply = replies.get(("a", "k"), "digest")
    assert reply is not None
    assert reply.result == 1
    assert replies.get(("b", "k"), "digest") is None
    ticks.now = 10
    assert replies.get(("a", "k"), "digest") is None


def test_replies_are_bounded_by_number_and_bytes() -> None:
    """The oldest go first."""
    by_number = Replies(Ticks(), kept_replies=2)
    by_bytes = Replies(Ticks(), kept_bytes=20)
    for replies in (by_number, by_bytes):
        for key in "abc":
            replies.keep(("t", key), key, "digest", 10)
        assert replies.get(("t", "a"), "digest") is None
        assert replies.get(("t", "b"), "digest") is not None
        assert replies.get(("t", "c"), "digest") is not None


def test_a_key_with_other_arguments_is_refused() -> None:
    """The answer to another question would be wrong, and a second effect worse."""
    replies = Replies(Ticks())
    replies.keep(("a", "k"), 1, "digest", 1)
    with pytest.raises(UnprocessableEntityError, match="idempotency key"):
        replies.get(("a", "k"), "another")
