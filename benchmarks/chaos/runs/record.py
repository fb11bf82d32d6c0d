"""One line of the table for each fault, of the runs that it met, and what is required of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.chaos.runs.faults import Strike
from benchmarks.chaos.runs.traffic import Sent
from benchmarks.chaos.runs.verdict import Judged, Verdict

ENDS = ("succeeded", "cancelled")
NEVER = tuple(verdict.value for verdict in Verdict)
COUNTS = ("times", "runs", *ENDS, "effects", "delivered again", *NEVER)
COLUMNS = ["fault", *COUNTS]


@dataclass(frozen=True)
class Account:
    """A run that was sent, and what became of it."""

    sent: Sent
    judged: Judged

    def met(self, strike: Strike) -> bool:
        """Whether it was under way, or on its way to the cluster, when the fault was inflicted."""
        run = self.judged.run
        ended = None if run is None else run.finished
        return self.sent.at <= strike.at and (ended is None or strike.at <= ended)


def counts(accounts: Sequence[Account], times: int) -> Counter[str]:
    """The cells by their column."""
    counted = Counter(verdict.value for account in accounts for verdict in account.judged.verdicts)
    ends = Counter[str](account.judged.run.status for account in accounts if account.judged.run is not None)
    return counted | Counter(
        {
            "times": times,
            "runs": len(accounts),
            **{end: ends[end] for end in ENDS},
            "effects": sum(account.judged.effects for account in accounts),
            "delivered again": sum(account.judged.again for account in accounts),
        }
    )


def lines(accounts: Sequence[Account], strikes: Sequence[Strike]) -> list[list[str]]:
    """The table's: runs that met no fault, those that met each, some of them several, and each run once."""
    untouched = [account for account in accounts if not any(account.met(strike) for strike in strikes)]
    records = [("none", untouched, 0)]
    for fault in dict.fromkeys(strike.fault for strike in strikes):
        of_it = [strike for strike in strikes if strike.fault == fault]
        records.append((fault, [one for one in accounts if any(map(one.met, of_it))], len(of_it)))
    records.append(("all runs", list(accounts), len(strikes)))
    return [line(name, counts(found, times)) for name, found, times in records]


def line(name: str, counted: Counter[str]) -> list[str]:
    """Its cells, in the order of COLUMNS."""
    return [name, *(str(counted[column]) for column in COUNTS)]


def shortcomings(accounts: Sequence[Account]) -> list[str]:
    """What is required and was not seen, in words; nothing where all is well."""
    counted = counts(accounts, 0)
    return [f"{counted[name]} runs {name}, 0 required" for name in NEVER if counted[name]]
