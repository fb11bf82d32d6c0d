"""What waits for one target, in order of arrival, and which of it goes into the next call."""

from __future__ import annotations

import asyncio
import contextvars
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

Inputs = list[Any]

# By length, the next call is chosen among the oldest of so many full calls: beyond that, lengths hardly come closer,
# and the sort stays short.
CHOICE_CALLS = 4
PATIENCE_S = 0.5  # who has waited for so long goes before those of a better length


@dataclass(eq=False, slots=True)
class Waiting:
    """A request: its inputs, the future that its caller awaits, and when (on the loop's clock) its deadline passes."""

    inputs: Inputs
    outcome: asyncio.Future[dict[str, Any]]
    since: float
    deadline: float | None
    length: int = 0  # of its longest text, in characters
    context: contextvars.Context = field(default_factory=contextvars.copy_context)

    def left(self, now: float) -> float | None:
        """Seconds left of its deadline; None where it has none."""
        return None if self.deadline is None else self.deadline - now


class WaitingLine:
    """Requests that wait; `size` is the sum of their inputs.

    Where more waits than a call holds, it takes the requests nearest in length to the oldest, since a batch is padded
    to its longest text. The oldest is always among them, so nobody is overtaken for ever. Requests of like length go
    in order of arrival.
    """

    def __init__(self, max_batch_size: int) -> None:
        self.size = 0
        self._max_batch_size = max_batch_size
        self._waiting: OrderedDict[Waiting, None] = OrderedDict()

    def __contains__(self, waiting: Waiting) -> bool:
        return waiting in self._waiting

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether a call can be filled."""
        return self.size >= self._max_batch_size

    @property
    def oldest(self) -> Waiting:
        """The first that came; the line must not be empty."""
        return next(iter(self._waiting))

    def add(self, waiting: Waiting) -> None:
        """To the end of the line."""
        self._waiting[waiting] = None
        self.size += len(waiting.inputs)

    def remove(self, waiting: Waiting) -> None:
        """From wherever it stands."""
        del self._waiting[waiting]
        self.size -= len(waiting.inputs)

    def take(self, now: float, most: int) -> list[Waiting]:
        """The requests of the next call: at most so many inputs, or one request that is larger by itself."""
        taken: list[Waiting] = []
        size = 0
        for waiting in self._in_turn(now):
            size += len(waiting.inputs)
            if taken and size > most:
                break
            taken.append(waiting)
        for waiting in taken:
            self.remove(waiting)
        return taken

    def _in_turn(self, now: float) -> Iterable[Waiting]:
        oldest = self.oldest.length
        choice = islice(self._waiting, CHOICE_CALLS * self._max_batch_size)
        return sorted(choice, key=lambda one: 0 if one.since + PATIENCE_S <= now else 1 + abs(one.length - oldest))
