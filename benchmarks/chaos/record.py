"""One line of the lab's table for each fault, and what is required of all of them together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.chaos.traffic import Exchange
from benchmarks.chaos.verdict import Verdict

COUNTS = (
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
)
COLUMNS = ["fault", *COUNTS, "added p99 ms"]
TALLIED = ("retried", "continued")
NEVER = ("lost", "doubled", "undocumented")


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
    tally: Counter[str] | None
    may_cut: bool = False

    def counts(self) -> Counter[str]:
        """The cells by their column."""
        counted = Counter(verdict.value for exchange in self.exchanges for verdict in exchange.verdicts)
        tally = self.tally or Counter[str]()
        return counted | Counter(
            {
                "times": self.times,
                "requests": len(self.exchanges),
                "ok": sum(not exchange.verdicts for exchange in self.exchanges),
                "fell back": sum(exchange.reply.fallback is not None for exchange in self.exchanges),
                "resent": sum(exchange.resent for exchange in self.exchanges),
                "lost": sum(bool(self._losses & exchange.verdicts) for exchange in self.exchanges),
                **{name: tally[name] for name in TALLIED},
            }
        )

    def wrong(self) -> list[Exchange]:
        """What must never happen."""
        never = self._losses | {Verdict.DOUBLED}
        return [exchange for exchange in self.exchanges if never & exchange.verdicts]

    @property
    def _losses(self) -> frozenset[Verdict]:
        return frozenset({Verdict.LOST} if self.may_cut else {Verdict.LOST, Verdict.CUT})

    def line(self, undisturbed: Record) -> list[str]:
        """Its cells, in the order of COLUMNS."""
        counts = self.counts()
        untold = TALLIED if self.tally is None else ()
        cells = ["-" if name in untold else str(counts[name]) for name in COUNTS]
        return [self.name, *cells, "" if self is undisturbed else f"{1e3 * (p99([self]) - p99([undisturbed])):.0f}"]


def p99(records: Iterable[Record]) -> float:
    """Seconds, of the requests that got their answer; not a number where none did."""
    seconds = sorted(exchange.seconds for record in records for exchange in record.exchanges if not exchange.verdicts)
    return seconds[int(0.99 * len(seconds))] if seconds else math.nan


def lines(undisturbed: Record, records: Sequence[Record]) -> list[list[str]]:
    """The table's, with the sum of all faults as the last."""
    total = sum((record.counts() for record in records), Counter[str]())
    added = f"{1e3 * (p99(records) - p99([undisturbed])):.0f}"
    summed = ["all faults", *(str(total[name]) for name in COUNTS), added]
    return [*(record.line(undisturbed) for record in (undisturbed, *records)), summed]


def shortcomings(undisturbed: Record, records: Sequence[Record], added_p99_s: float) -> list[str]:
    """What is required and was not seen, in words; nothing where all is well."""
    found = [
        f"{record.name}: {count} {name}, 0 required"
        for record in (undisturbed, *records)
        for name in NEVER
        if (count := record.counts()[name])
    ]
    added = p99(records) - p99([undisturbed])
    if not added < added_p99_s:
        found.append(f"added p99: {1e3 * added:.0f} ms, below {1e3 * added_p99_s:.0f} ms required")
    return found
