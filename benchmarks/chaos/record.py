"""One line of the lab's table for each fault, and what is required of all of them together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.chaos.traffic import Exchange
from benchmarks.chaos.verdict import Verdict

COLUMNS = [
    "fault",
    "times",
    "requests",
    "ok",
    "retried",
    "continued",
    "fell back",
    "resent",
    "cut",
    "lost",
    "doubled",
    "documented",
    "undocumented",
    "added p99 ms",
]


@dataclass(frozen=True)
class Record:
    """The requests during one kind of fault, and what the routers tell of it (`retried`, `continued`).

    The routers' tally is None where one of them was killed, and took its own with it. Only where routers are killed
    may connections be cut (`may_cut`): a dead process documents nothing, and what it had begun is its client's to ask
    again.
    """

    name: str
    times: int
    exchanges: Sequence[Exchange]
    tally: Counter[str] | None = field(default_factory=Counter)
    may_cut: bool = False

    def count(self, verdict: Verdict) -> int:
        """Requests of which this is to be said."""
        return sum(verdict in exchange.verdicts for exchange in self.exchanges)

    @property
    def ok(self) -> int:
        """Requests that got their answer, from whichever model."""
        return sum(not exchange.verdicts for exchange in self.exchanges)

    @property
    def cut(self) -> int:
        """Connections that a router took with it."""
        return self.count(Verdict.CUT) if self.may_cut else 0

    @property
    def lost(self) -> int:
        """Requests without their answer and without a documented error."""
        lost = {Verdict.LOST} if self.may_cut else {Verdict.LOST, Verdict.CUT}
        return sum(bool(lost & exchange.verdicts) for exchange in self.exchanges)

    @property
    def p99(self) -> float:
        """Seconds, of the requests that got their answer; not a number where none did."""
        seconds = sorted(exchange.seconds for exchange in self.exchanges if not exchange.verdicts)
        return seconds[int(0.99 * len(seconds))] if seconds else math.nan

    def line(self, undisturbed: Record) -> list[str]:
        """Its cells, in the order of COLUMNS."""
        told = ["-", "-"] if self.tally is None else [str(self.tally[name]) for name in ("retried", "continued")]
        counts = [
            sum(exchange.reply.fallback is not None for exchange in self.exchanges),
            sum(exchange.resent for exchange in self.exchanges),
            self.cut,
            self.lost,
            self.count(Verdict.DOUBLED),
            self.count(Verdict.DOCUMENTED),
            self.count(Verdict.UNDOCUMENTED),
        ]
        added = "" if self is undisturbed else f"{1e3 * (self.p99 - undisturbed.p99):.0f}"
        return [self.name, str(self.times), str(len(self.exchanges)), str(self.ok), *told, *map(str, counts), added]


def together(records: Sequence[Record]) -> Record:
    """All faults as one."""
    return Record(
        "all faults",
        sum(record.times for record in records),
        [exchange for record in records for exchange in record.exchanges],
        sum((record.tally for record in records if record.tally is not None), Counter()),
        may_cut=True,  # those that may not be are added below
    )


def lines(undisturbed: Record, records: Sequence[Record]) -> list[list[str]]:
    """The table's, the sum last."""
    return [record.line(undisturbed) for record in (undisturbed, *records, together(records))]


def shortcomings(undisturbed: Record, records: Sequence[Record], added_p99_s: float) -> list[str]:
    """What is required and was not seen, in words; nothing where all is well."""
    found = []
    for record in (undisturbed, *records):
        for name, count in (
            ("lost", record.lost),
            ("doubled", record.count(Verdict.DOUBLED)),
            ("undocumented", record.count(Verdict.UNDOCUMENTED)),
        ):
            if count:
                found.append(f"{record.name}: {count} {name}, 0 required")
    added = together(records).p99 - undisturbed.p99
    if not added < added_p99_s:
        found.append(f"added p99: {1e3 * added:.0f} ms, below {1e3 * added_p99_s:.0f} ms required")
    return found
