"""What callers used, summed by key, tenant, model and day until it is reported."""

from __future__ import annotations

import hashlib
import itertools
import logging
from dataclasses import astuple, dataclass
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


Row = tuple[str, str, str, date]


@dataclass(slots=True)
class Sums:
    """Of a row, so far."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_micros: int = 0


class Meter:
    """The sums of one replica since the last report, in at most 2 * `max_rows` + a few rows.

    No number is ever lost. Where there are too many rows, a new one is booked without its key; where that is too much
    as well, without key, tenant and model. It is logged.
    """

    def __init__(self, *, max_rows: int = MAX_ROWS, clock: Clock = utc_now) -> None:
        self._rows: dict[Row, Sums] = {}
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
        sums = self._rows.get(row)
        if sums is None:
            sums = self._rows[row] = Sums()
        sums.requests += 1
        sums.prompt_tokens += prompt_tokens
        sums.completion_tokens += completion_tokens
        sums.cost_micros += cost_micros

    def take(self, most: int) -> tuple[Spent, ...]:
        """At most so many of the sums, the oldest first; they begin anew."""
        rows = list(itertools.islice(self._rows, most))
        taken = tuple(Spent(*row, *astuple(self._rows.pop(row))) for row in rows)
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
