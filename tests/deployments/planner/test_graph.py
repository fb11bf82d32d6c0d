"""Which step waits for which."""

from __future__ import annotations

from typing import Any

import pytest

from autoglm.contract.plan import Step
from autoglm.errors import BadRequestError
from deployments.planner.graph import Graph, checked, dependencies, needs


def step(id: str, **fields: Any) -> Step:
    return Step.model_validate({"id": id, "kind": "tool", "name": "t", **fields})


def test_a_step_waits_for_all_that_it_names_and_needs_what_it_uses() -> None:
    """Without the result of its arguments and its condition it cannot run; the rest only comes first."""
    one = step(
        "e",
        arguments={"x": ["${a.b}"]},
        when={"ref": "${b}", "op": "eq"},
        after=["c"],
        fallback={"kind": "tool", "name": "t", "arguments": {"y": "${d}"}},
    )
    assert needs(one) == {"a", "b"}
    assert dependencies(one) == {"a", "b", "c", "d"}
    either = step("f", when={"ref": "${a}", "op": "exists", "value": False})
    assert (needs(either), dependencies(either)) == (set(), {"a"})


def test_a_cycle_is_named_from_step_to_step() -> None:
    """However it is made of arguments, `after` and fallbacks; the others are not blamed."""
    steps = [
        step("free"),
        step("a", arguments={"x": "${c}"}),
        step("b", after=["a", "free"]),
        step("c", fallback={"kind": "tool", "name": "t", "arguments": {"x": "${b}"}}),
    ]
    found = Graph(steps).cycle()
    assert found[0] == found[-1]
    assert set(found) == {"a", "b", "c"}
    assert all(before in dependencies(one) for before, one in zip(found, map(by_id(steps), found[1:]), strict=False))
    with pytest.raises(BadRequestError, match=f"wait for each other: {' -> '.join(found)}"):
        checked(steps)


def by_id(steps: list[Step]) -> Any:
    return {one.id: one for one in steps}.__getitem__


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([step("a", after=["b"])], "step 'a' names 'b', and there is no such step"),
        ([step("a"), step("a")], "2 with the id 'a'"),
        ([step("a", arguments={"x": "${a}"})], "a -> a"),
        ([step("plan")], "'plan' is kept for the approval of the plan itself"),
    ],
)
def test_steps_that_cannot_be_ordered_are_refused(steps: list[Step], message: str) -> None:
    """Before one of them runs."""
    with pytest.raises(BadRequestError, match=message):
        checked(steps)


def test_a_thousand_steps_in_a_row_are_no_depth() -> None:
    """The search for cycles does not use Python's stack, and what ended before may be named."""
    steps = [step(f"s{n}", after=[f"s{n - 1}"] if n else ["before"]) for n in range(1000)]
    checked(steps, known=["before"])
