"""What crosses the handle of a stream: its events, and what another replica needs to go on where one broke off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

DONE = b"data: [DONE]\n\n"  # the last event of every answer


class Opening(NamedTuple):
    """What every chunk of one answer has in common, and the prompt as the engine read it."""

    id: str
    created: int
    prompt_token_ids: Sequence[int]


class Event(NamedTuple):
    """One or more whole server-sent events, the answer's tokens behind them, and the characters of text in them.

    `opening` comes with the first event of an answer that another replica could continue.
    """

    data: bytes
    token_ids: Sequence[int] = ()
    characters: int = 0
    opening: Opening | None = None


@dataclass(slots=True)
class Progress:
    """How much of an answer its caller has: a replica goes on from the tokens and leaves out the characters."""

    opening: Opening
    token_ids: list[int] = field(default_factory=list)
    characters: int = 0

    def add(self, event: Event) -> None:
        """The caller has this event too."""
        self.token_ids.extend(event.token_ids)
        self.characters += event.characters
