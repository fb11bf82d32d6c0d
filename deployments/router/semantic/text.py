"""The text that a request is routed by."""

from __future__ import annotations

from typing import Any


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
