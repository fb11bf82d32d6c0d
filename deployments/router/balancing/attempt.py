"""One attempt of a request: what it tells the choice of a replica, and what it hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deployments.router.balancing.pool import Pool


@dataclass(slots=True, eq=False)
class Attempt:
    """Made by the caller for each handle call, and settled by it however the call ends; the first settling counts.

    `replica` and `pool` are set when a replica is chosen. `scope` is the timeout that the caller is in while it waits
    (for a stream, a new one for each event): it is brought forward to now when the replica dies or hangs, so that the
    attempt can fail over at once, and `given_up` tells the `TimeoutError` of that from one of the deadline.
    """

    excluded: frozenset[str] = frozenset()  # replicas that failed this request already
    key: str | None = None  # what consistent hashing hashes: a session, an API key, a client's address
    prefix: str | Sequence[Hashable] | None = None  # what prefix affinity looks at: the prompt's text, or its blocks
    may_wait: bool = True  # for a replica, where there is none at the moment; else the call fails at once
    scope: asyncio.Timeout | None = None
    replica: str | None = None
    pool: Pool | None = None
    given_up: bool = False

    @contextmanager
    def current(self) -> Iterator[None]:
        """Calls of a handle that are started in here are this attempt; awaiting their answers may follow outside."""
        token = ATTEMPT.set(self)
        try:
            yield
        finally:
            ATTEMPT.reset(token)

    @property
    def is_first_of_several(self) -> bool:
        """Whether its request has failed nowhere before, and there are other replicas to go to."""
        return (
            not self.excluded and self.pool is not None and any(other != self.replica for other in self.pool.replicas)
        )

    def succeeded(self) -> None:
        """The replica answered, be it with an error that is the caller's own."""
        if self.pool is not None:
            self.pool.succeeded(self)

    def failed(self) -> None:
        """The replica died, hung or erred."""
        if self.pool is not None:
            self.pool.failed(self)

    def released(self) -> None:
        """It says nothing about the replica: the client went, or the work was cancelled."""
        if self.pool is not None:
            self.pool.released(self)

    def give_up(self) -> None:
        """End the caller's scope now. A caller between two scopes is in neither; it is told again in the next one."""
        self.given_up = True
        if self.scope is None:
            return
        try:
            self.scope.reschedule(asyncio.get_running_loop().time())
        except RuntimeError:  # asyncio's word for a timeout that has been left, which it does not tell otherwise
            return


# Serve starts the task that routes a call with the caller's context, and offers no other way to hand a hint along.
ATTEMPT: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


def current_attempt() -> Attempt | None:
    """The attempt that this task's call is; None where its caller makes no use of them."""
    return ATTEMPT.get()
