"""Results by idempotency key, so that a call that is sent again has the answer of the first one."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autoglm.errors import UnprocessableEntityError

# Longer than a planner takes to be replaced and to go on with its runs; what is asked later is the tool's own to know.
KEPT_S = 600.0
KEPT_REPLIES = 10_000
KEPT_BYTES = 64 * 1024 * 1024

CallId = tuple[str, str]  # the tool's name and the key


@dataclass(frozen=True, slots=True)
class Reply:
    """A result, the digest of the arguments that it answers, its size in bytes and when it was given."""

    result: Any
    digest: str
    size: int
    given: float


class Replies:
    """The newest ones, bounded by age, number and bytes; the oldest go first."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        kept_s: float = KEPT_S,
        kept_replies: int = KEPT_REPLIES,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self._clock = clock
        self._kept_s = kept_s
        self._kept_replies = kept_replies
        self._kept_bytes = kept_bytes
        self._bytes = 0
        self._replies: OrderedDict[CallId, Reply] = OrderedDict()

    def get(self, call: CallId, digest: str) -> Reply | None:
        """The reply to this very call, if it is still there; raises as `check_same` does."""
        self._forget()
        reply = self._replies.get(call)
        if reply is not None:
            check_same(call, reply.digest, digest)
        return reply

    def keep(self, call: CallId, result: Any, digest: str, size: int) -> None:
        """Remember a result."""
        self._replies[call] = Reply(result, digest, size, self._clock())
        self._bytes += size
        self._forget()

    def _forget(self) -> None:
        while self._replies and self._is_over():
            self._bytes -= self._replies.popitem(last=False)[1].size

    def _is_over(self) -> bool:
        oldest = next(iter(self._replies.values()))
        too_many = len(self._replies) > self._kept_replies or self._bytes > self._kept_bytes
        return too_many or oldest.given + self._kept_s <= self._clock()


def check_same(call: CallId, known: str, digest: str) -> None:
    """Raises UnprocessableEntityError where a key comes with other arguments than before.

    As the IETF's draft on the Idempotency-Key header has it (draft-ietf-httpapi-idempotency-key-header-07, 2.7).
    """
    if known != digest:
        raise UnprocessableEntityError(
            f"{call[0]}: the idempotency key was used with other arguments before; take a new one for a new call",
            param="idempotency_key",
        )
