"""What a benchmark calls right."""

from __future__ import annotations

import pytest

from autoglm.contract.plan import Plan
from benchmarks.planning.instruction_set import instructions
from benchmarks.planning.scores import edges, f1, nodes, says


def test_a_plan_is_compared_by_names_and_by_pairs_of_names() -> None:
    """Ids are the planner's own, and so is the order of steps."""
    steps = [
        {"id": "b", "kind": "tool", "name": "calculate", "arguments": {"expression": "${a.days}"}},
        {"id": "a", "kind": "tool", "name": "days_between"},
    ]
    plan = Plan.model_validate({"steps": steps})
    assert (nodes(plan), edges(plan)) == (["calculate", "days_between"], [("days_between", "calculate")])
    assert f1(nodes(plan), ["days_between"]) == pytest.approx(2 / 3)
    assert (f1([], []), f1(["a"], ["b"])) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("answer", "expected", "is_right"),
    [
        ("17 * 23 + 43 = 434", [434], True),
        ("it is 434.2", [434], False),
        ("10 mi = 42.1648128 km", [42.1648], True),
        ("about 42", [42.1648], False),
        ("16:00 on 2026-03-29", ["16:00"], True),
        ("144 and 365", [144, 366], False),
    ],
)
def test_an_answer_must_say_all_that_is_expected(answer: str, expected: list[float | str], is_right: bool) -> None:
    """An integer exactly, another number as a model may round it."""
    assert says(answer, expected) is is_right


def test_the_set_is_whole() -> None:
    """At least sixty instructions, with plans whose edges lead somewhere, some in Chinese, some to be refused."""
    every = instructions()
    assert len({one.id for one in every}) == len(every) >= 60
    assert all(max(edge) < len(one.nodes) for one in every for edge in one.edges)
    assert all(bool(one.nodes) == (one.outcome != "refused") for one in every)
    assert sum(one.language == "zh" for one in every) >= 10
