"""The lab's table: what is counted where, and what it must not say."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.chaos.record import COLUMNS, Record, lines, shortcomings
from benchmarks.chaos.traffic import Exchange
from benchmarks.chaos.verdict import Reply, Verdict

UNDISTURBED = Record("none", 0, [Exchange(0.1, Reply(), frozenset())] * 100, Counter())


def ended(*verdicts: Verdict, seconds: float = 0.1) -> Exchange:
    return Exchange(seconds, Reply(), frozenset(verdicts))


def cells(line: list[str]) -> dict[str, str]:
    return dict(zip(COLUMNS, line, strict=True))


def test_a_cut_is_a_loss_unless_a_router_was_killed() -> None:
    """Who still lives has to document what it cannot finish."""
    exchanges = [ended(), ended(Verdict.CUT)]
    killed = Record("replica killed", 1, exchanges, Counter())
    routers = Record("router killed", 1, exchanges, None, may_cut=True)
    [_, one, other, total] = map(cells, lines(UNDISTURBED, [killed, routers]))
    assert (one["cut"], one["lost"]) == ("1", "1")
    assert (other["cut"], other["lost"], other["continued"]) == ("1", "0", "-")
    assert (total["requests"], total["ok"], total["lost"]) == ("4", "2", "1")


def test_the_routers_tally_adds_what_a_client_cannot_see() -> None:
    """Their own count of requests is another thing: it has those of the fallbacks too."""
    record = Record("replica killed", 3, [ended()], Counter(requests=9, retried=2, continued=1))
    line = cells(lines(UNDISTURBED, [record])[1])
    assert (line["requests"], line["retried"], line["continued"]) == ("1", "2", "1")


@pytest.mark.parametrize("verdict", [Verdict.LOST, Verdict.DOUBLED, Verdict.UNDOCUMENTED, Verdict.CUT])
def test_one_request_gone_wrong_in_any_row_is_a_shortcoming(verdict: Verdict) -> None:
    """Also in the undisturbed one, where nothing excuses it."""
    wrong = Record("r", 1, [*UNDISTURBED.exchanges, ended(verdict)], Counter())
    assert len(shortcomings(UNDISTURBED, [wrong], 1.0)) == 1
    assert shortcomings(wrong, [UNDISTURBED], 1.0)


def test_documented_errors_are_none_and_slowness_is_one() -> None:
    """Two of a hundred answers that took a second longer are above the p99; an error has none of its own."""
    documented = Record("r", 1, [*UNDISTURBED.exchanges, *[ended(Verdict.DOCUMENTED, seconds=9)] * 5], Counter())
    assert shortcomings(UNDISTURBED, [documented], 1.0) == []
    slow = Record("r", 1, [ended()] * 98 + [ended(seconds=1.2)] * 2, Counter())
    assert shortcomings(UNDISTURBED, [slow], 1.0) == ["added p99: 1100 ms, below 1000 ms required"]
