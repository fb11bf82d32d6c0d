"""Outlier ejection: a replica that fails again and again gets no traffic for a while.

Method and defaults: Envoy's outlier detection by consecutive errors; the share is ours, as its 10 % would eject
nothing from a pool of fewer than ten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field


class EjectionConfig(BaseModel):
    """After how many failures in a row, for how long, and how much of a pool at most.

    The first ejection lasts `base_ejection_s`, the n-th in succession n times that, up to `max_ejection_s`; each
    `interval_s` without one takes one off the count.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    consecutive_failures: int = Field(default=5, ge=1)
    interval_s: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    base_ejection_s: float = Field(default=30.0, gt=0, allow_inf_nan=False)
    max_ejection_s: float = Field(default=300.0, gt=0, allow_inf_nan=False)
    max_ejected_share: float = Field(default=0.5, ge=0, le=1)


@dataclass(slots=True)
class Record:
    """What is held against one replica."""

    failures: int = 0  # since its last success
    ejections: int = 0  # in succession
    until: float = float("-inf")  # of the last one


class Ejections:
    """The records of one pool. Nothing runs by itself: time is looked at when something is asked. Not for threads."""

    def __init__(self, config: EjectionConfig, clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self._records: dict[str, Record] = {}

    def keep(self, replicas: Iterable[str]) -> None:
        """The replicas that there are now; what was known of others is forgotten."""
        self._records = {replica: self._records.get(replica) or Record() for replica in replicas}

    def succeeded(self, replica: str) -> None:
        """The row of failures is broken. An ejection stays: what succeeds in it was sent before."""
        if (record := self._records.get(replica)) is not None:
            record.failures = 0

    def failed(self, replica: str) -> None:
        """Count one, and eject the replica when it was one too many and the pool can spare it."""
        record = self._records.get(replica)
        if record is None or record.until > self._clock():
            return
        record.failures += 1
        if record.failures >= self._config.consecutive_failures and self._may_spare_one():
            self._eject(record)

    def ejected(self) -> set[str]:
        """Those that are out now."""
        now = self._clock()
        return {replica for replica, record in self._records.items() if record.until > now}

    def left_s(self, replica: str) -> float:
        """Seconds that it stays out; 0 where it is in."""
        record = self._records.get(replica)
        return 0.0 if record is None else max(0.0, record.until - self._clock())

    def _may_spare_one(self) -> bool:
        return len(self.ejected()) + 1 <= self._config.max_ejected_share * len(self._records)

    def _eject(self, record: Record) -> None:
        now = self._clock()
        if record.ejections:
            quiet = int((now - record.until) / self._config.interval_s)
            record.ejections = max(0, record.ejections - quiet)
        record.ejections += 1
        record.until = now + min(self._config.base_ejection_s * record.ejections, self._config.max_ejection_s)
        record.failures = 0
