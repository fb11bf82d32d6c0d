"""Whether a replica answers its probes, told only after several in a row agree.

Method: HAProxy's `rise` and `fall`. A replica is up until it falls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class Record:
    """The last probes of one replica."""

    row: int = 0  # probes in a row that speak against the present state
    fallen: float | None = None  # when it fell; None while it is up


class RiseFall:
    """The records of one pool. Not for threads."""

    def __init__(self, *, rise: int, fall: int, clock: Callable[[], float]) -> None:
        self._rise = rise
        self._fall = fall
        self._clock = clock
        self._records: dict[str, Record] = {}

    def keep(self, replicas: Iterable[str]) -> None:
        """The replicas that there are now; what was known of others is forgotten."""
        self._records = {replica: self._records.get(replica) or Record() for replica in replicas}

    def answered(self, replica: str) -> None:
        """It lives: `rise` of these in a row, and one that had fallen is up."""
        record = self._records.get(replica)
        if record is None:
            return
        record.row = 0 if record.fallen is None else record.row + 1
        if record.row >= self._rise:
            self._records[replica] = Record()

    def missed(self, replica: str) -> None:
        """It was silent: `fall` of these in a row, and it has fallen."""
        record = self._records.get(replica)
        if record is None:
            return
        record.row = 0 if record.fallen is not None else record.row + 1
        if record.row >= self._fall:
            self._records[replica] = Record(fallen=self._clock())

    def fallen(self) -> set[str]:
        """Those that do not answer."""
        return {replica for replica, record in self._records.items() if record.fallen is not None}

    def fallen_s(self, replica: str) -> float:
        """Seconds since it fell; 0 where it is up."""
        record = self._records.get(replica)
        return 0.0 if record is None or record.fallen is None else self._clock() - record.fallen
