"""What a caller reads in the events of one answer, whoever wrote which of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from deployments.stream import Event, Progress


def after(events: Sequence[Event]) -> Progress:
    """What a caller has who got these; the first of them opens the answer."""
    opening = events[0].opening
    assert opening is not None
    progress = Progress(opening)
    for event in events:
        progress.add(event)
    return progress


def told(events: Sequence[Event]) -> dict[str, Any]:
    """Equal for two streams of one answer that differ only in how the text is cut into chunks."""
    lines = b"".join(event.data for event in events).decode().split("\n\n")
    chunks = [orjson.loads(line.removeprefix("data: ")) for line in lines if line and not line.endswith("[DONE]")]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    deltas = [choice.get("delta", {"content": choice.get("text")}) for choice in choices]
    return {
        "text": "".join(delta.get("content") or "" for delta in deltas),
        "characters": sum(event.characters for event in events),
        "tokens": [token for event in events for token in event.token_ids],
        "shown": [token for choice in choices for token in choice.get("token_ids") or ()],
        "roles": [delta["role"] for delta in deltas if "role" in delta],
        "ends": [(choice["finish_reason"], choice["stop_reason"]) for choice in choices if choice["finish_reason"]],
        "usage": [chunk["usage"] for chunk in chunks if not chunk["choices"]],
        "frames": {(chunk["id"], chunk["object"], chunk["created"], chunk["model"]) for chunk in chunks},
        "done": [line for line in lines if line.endswith("[DONE]")],
    }
