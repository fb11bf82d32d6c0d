"""The table of background runs: which run counts where."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autoglm.contract.task_run import TaskRun
from benchmarks.chaos.runs.errands import errands
from benchmarks.chaos.runs.faults import Fault, Strike, rounds
from benchmarks.chaos.runs.record import COLUMNS, Account, lines, shortcomings
from benchmarks.chaos.runs.traffic import Sent
from benchmarks.chaos.runs.verdict import Judged, Verdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)
[ERRAND] = errands(1, 1, Path("/tmp/deliveries"))


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def account(sent: float, ended: float | None, *verdicts: Verdict) -> Account:
    fields = {"id": f"run_{1:032x}", "instruction": "", "status": "succeeded", "created": NOW}
    run = None if ended is None else TaskRun.model_validate(fields | {"finished": at(ended)})
    return Account(Sent(ERRAND, at(sent)), Judged(run, frozenset(verdicts), effects=3, again=1))


def test_a_run_counts_for_each_fault_that_it_met() -> None:
    """One that ended before, or was sent after, has met none; one that is lost has met all that came after it."""
    accounts = [account(0, 9), account(0, 4), account(12, 15), account(6, None, Verdict.LOST)]
    strikes = [Strike("a", at(5)), Strike("b", at(8)), Strike("a", at(10))]
    table = [dict(zip(COLUMNS, line, strict=True)) for line in lines(accounts, strikes)]
    assert [(line["fault"], line["times"], line["runs"], line["lost"]) for line in table] == [
        ("none", "0", "2", "0"),
        ("a", "2", "2", "1"),
        ("b", "1", "2", "1"),
        ("all runs", "3", "4", "1"),
    ]
    assert (table[1]["succeeded"], table[1]["effects"], table[1]["delivered again"]) == ("1", "6", "2")


def test_whatever_must_never_be_is_a_shortcoming() -> None:
    """In words; a delivery that came again is none."""
    assert shortcomings([account(0, 9)]) == []
    assert shortcomings([account(0, 9, Verdict.DOUBLED), account(0, None, Verdict.LOST)]) == [
        "1 runs lost, 0 required",
        "1 runs doubled, 0 required",
    ]


def test_all_is_killed_at_the_end_of_each_round() -> None:
    """Every fault as often as any other, in an order that the seed makes."""

    async def nothing() -> datetime:
        return NOW

    one, other, whole = (Fault(name, nothing) for name in ("one", "other", "whole"))
    found = rounds([one, other], [whole], 5, random.Random(1))
    assert found[2::3] == [whole] * 5
    assert found.count(one) == found.count(other) == 5
    assert len({fault.name for fault in found[::3]}) == 2
