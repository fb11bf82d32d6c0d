"""What is kept of each call of a tool: who, which, with what, how it ended. Told to the control plane in batches."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from autoglm.errors import APIStatusError, UnprocessableEntityError
from deployments.redaction import without_secrets

MAX_PREVIEW = 500  # characters
CAPACITY = 10_000  # entries that wait while the control plane is away; some 10 MB
BATCH = 500

logger = logging.getLogger("ray.serve")


@dataclass(frozen=True, slots=True)
class CallEntry:
    """One call, made or refused. `outcome` is `ok`, `cancelled`, or the code of its error.

    Of the arguments there are the SHA-256 of their JSON, in hex, and a `preview` without secrets. `key` is the
    idempotency key, by which a run and its step are found; of a call that was never made, the run alone.
    """

    at: datetime
    caller: str
    tenant: str
    tool: str
    key: str
    digest: str
    preview: str
    outcome: str
    seconds: float
    id: str = field(default_factory=lambda: secrets.token_hex(16))


Audit = Callable[[CallEntry], None]  # takes it at once
Send = Callable[[Sequence[CallEntry], int], Awaitable[None]]  # entries, and how many before them were lost


class CallLog:
    """Entries until they are told. Where it is full the oldest are lost, counted, and their number is told."""

    def __init__(self, send: Send, *, capacity: int = CAPACITY) -> None:
        self._send = send
        self._entries: deque[CallEntry] = deque()
        self._capacity = capacity
        self._lost = 0

    def __call__(self, entry: CallEntry) -> None:
        """Keep an entry."""
        self._entries.append(entry)
        self._bound()

    async def tell(self) -> None:
        """Send what there is, in batches. What fails is kept, and sent again: whoever takes it knows entries by id.

        Raises:
            APIStatusError, TimeoutError: it was not taken.
        """
        while self._entries or self._lost:
            batch = [self._entries.popleft() for _ in range(min(BATCH, len(self._entries)))]
            lost, self._lost = self._lost, 0
            try:
                await self._send(batch, lost)
            except BaseException:
                self._entries.extendleft(reversed(batch))
                self._lost += lost
                self._bound()
                raise
            if lost:
                logger.error("%s calls of tools are in no audit: the control plane was away for too long", lost)

    def _bound(self) -> None:
        while len(self._entries) > self._capacity:
            self._entries.popleft()
            self._lost += 1


def argument_digest(arguments: Mapping[str, Any]) -> tuple[str, str]:
    """SHA-256 and preview of the arguments.

    Raises:
        UnprocessableEntityError: they are no JSON.
    """
    try:
        text = json.dumps(arguments, allow_nan=False, separators=(",", ":"), sort_keys=True)
        preview = json.dumps(without_secrets(arguments), ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UnprocessableEntityError(
            f"arguments: they must be a JSON object ({error})"[:300], param="arguments"
        ) from None
    return hashlib.sha256(text.encode()).hexdigest(), preview[:MAX_PREVIEW]


def outcome_of(error: BaseException) -> str:
    """How a call that raised ended: its error's code, `cancelled`, or `internal` for a fault of this program."""
    if isinstance(error, APIStatusError):
        return error.code
    return "internal" if isinstance(error, Exception) else "cancelled"
