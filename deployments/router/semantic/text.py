"""The text that a request is routed by, in one form."""

from __future__ import annotations

import unicodedata
from typing import Any

# What is asked stands at the start, and the time of a decision grows with the length. The longest of BANKING77's
# 10,003 questions has 433 characters.
MAX_CHARS = 512


def normalised(text: str) -> str:
    """The first `MAX_CHARS` characters in NFKC, case-folded, with single spaces; half a surrogate pair becomes `?`."""
    whole = text[:MAX_CHARS].encode("utf-8", "replace").decode()
    folded = unicodedata.normalize("NFKC", whole).casefold()
    return " ".join(folded.split())[:MAX_CHARS]  # cut again: NFKC makes 18 characters of some


def text_of(request: dict[str, Any]) -> str:
    """What a request of the contract asks: of a chat the last user's turn, of a completion the prompt, of a
    prediction the first input; the empty string where that is no text.
    """
    if "messages" in request:
        return _content(next((turn for turn in reversed(request["messages"]) if turn.get("role") == "user"), {}))
    inputs = request.get("prompt", request.get("inputs"))
    first = inputs[0] if isinstance(inputs, list) and inputs else inputs
    return first if isinstance(first, str) else ""


def _content(turn: dict[str, Any]) -> str:
    """A turn's content: a text, or the texts among its parts."""
    content = turn.get("content")
    if isinstance(content, list):
        return "\n".join(part["text"] for part in content if isinstance(part.get("text"), str))
    return content if isinstance(content, str) else ""
