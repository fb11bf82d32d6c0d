"""What callers used, summed by key, tenant, model and day until it is reported."""

from __future__ import annotations

import hashlib
import itertools
import logging
from dataclasses import dataclass
from datetime import UTC, date

from deployments.clock import Clock, utc_now

logger = logging.getLogger("ray.serve")

MAX_ROWS = 10_000
OTHERS = "(others)"  # in place of names that there was no room for; no key, tenant or model is called so
LENGTHS = {"key": 100, "tenant": 64, "model": 128}  # what the database's columns hold
HASH_CHARS = 16


@dataclass(frozen=True, slots=True)
class Spent:
    """What a caller used of a model on one day, in UTC. `key` is a key's id, or `user:NAME`."""

    key: str
    tenant: str
    model: str
    day: date
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_micros: int = 0

    def plus(self, other: Spent) -> Spent:
        """Both in one sum."""
        return Spent(
            self.key,
            self.tenant,
            self.model,
            self.day,
            self.requests + other.requests,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost_micros + other.cost_micros,
        )


Row = tuple[str, str, str, date]


class Meter:
    """The sums of one replica since the last report, in at most 2 * `max_rows` + a few rows.

    No number is ever lost. Where there are too many rows, a new one is booked without its key; where that is too much
    as well, without key, tenant and model. It is logged.
    """

    def __init__(self, *, max_rows: int = MAX_ROWS, clock: Clock = utc_now) -> None:
        self._rows: dict[Row, Spent] = {}
        self._max_rows = max_rows
        self._clock = clock
        self._nameless = 0

    def add(
        self,
        *,
        key: str,
        tenant: str,
        model: str,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        cost_micros: int = 0,
    ) -> None:
        """Count a call that ended now."""
        row = self._row(
            bounded("key", key),
            bounded("tenant", tenant),
            bounded("model", model),
            self._clock().astimezone(UTC).date(),
        )
        call = Spent(*row, 1, prompt_tokens, completion_tokens, cost_micros)
        held = self._rows.get(row)
        self._rows[row] = call if held is None else held.plus(call)

    def take(self, most: int) -> tuple[Spent, ...]:
        """At most so many of the sums, the oldest first; they begin anew."""
        taken = tuple(self._rows.pop(row) for row in list(itertools.islice(self._rows, most)))
        if self._nameless:
            logger.warning(
                "the meter was full (%d rows): %d calls are booked under %r", self._max_rows, self._nameless, OTHERS
            )
            self._nameless = 0
        return taken

    def _row(self, key: str, tenant: str, model: str, day: date) -> Row:
        exact, without_key = (key, tenant, model, day), (OTHERS, tenant, model, day)
        if exact in self._rows or len(self._rows) < self._max_rows:
            return exact
        self._nameless += 1
        if without_key in self._rows or len(self._rows) < 2 * self._max_rows:
            return without_key
        return (OTHERS, OTHERS, OTHERS, day)


def bounded(column: str, name: str) -> str:
    """The name as the database's column holds it: a longer one ends with its hash, so that no two become one."""
    length = LENGTHS[column]
    if len(name) <= length:
        return name
    return f"{name[: length - HASH_CHARS - 1]}~{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:HASH_CHARS]}"
