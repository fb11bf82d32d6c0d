"""How many tokens a call may take, said before it runs and without its tokenizer.

The completion is bounded exactly, since the engine ends it at `max_tokens`. The prompt is estimated at a token for four
bytes of UTF-8, which for English is the four characters that OpenAI's limits count with, and for other scripts two or
three times as much as characters would say. The sure bound is a token for each byte, since no tokenizer makes more; it
is four times what English takes, so that a limit of 1,000 tokens a minute would refuse a page of 300 words. A text
that has more tokens than the estimate (code, digits, noise) is settled by what it took, so what a call uses beyond its
reservation is at most three quarters of its prompt's bytes, and what a chat template adds of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

BYTES_A_TOKEN = 4
PER_TEXT = 4  # what surrounds a text: a message's role and separators, an encoder's first and last token


def prompt_tokens(texts: Iterable[str]) -> int:
    """An estimate of the tokens of messages, prompts or inputs."""
    return sum(PER_TEXT + -(-size(text) // BYTES_A_TOKEN) for text in texts)


def completion_tokens(max_tokens: int | None, *, cap: int, n: int = 1) -> int:
    """The most tokens that `n` answers have; `cap` is the most for one, and what is asked for where nothing is."""
    return n * (cap if max_tokens is None else min(max_tokens, cap))


def size(text: str) -> int:
    """Bytes in UTF-8; half a surrogate pair, which JSON can hold and UTF-8 cannot, is one."""
    return len(text) if text.isascii() else len(text.encode(errors="replace"))
