"""Steps beside each other: each once, as soon as it can be, and no more of them than may be."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoglm.contract.plan import Plan
from autoglm.errors import UpstreamError
from deployments.planner.execution import ExecutionConfig
from tests.deployments.planner.execution.stage import LATENCY_S, FakeCapabilities, Stage, plan_of, statuses, step


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Random graphs: each step adds up some of the steps before it, and comes after others."""
    steps = []
    for number in range(draw(st.integers(1, 40))):
        before = st.lists(st.integers(0, number - 1), max_size=3, unique=True) if number else st.just([])
        terms: list[Any] = [f"${{s{one}.sum}}" for one in draw(before)]
        steps.append(
            step(f"s{number}", "add", arguments={"terms": [number, *terms]}, after=[f"s{n}" for n in draw(before)])
        )
    return plan_of(*draw(st.permutations(steps)))


def expected(plan: Plan) -> dict[str, int]:
    """The sums, one step after the other."""
    sums: dict[str, int] = {}
    for one in sorted(plan.steps, key=lambda one: int(one.id[1:])):
        first, *terms = one.arguments["terms"]
        sums[one.id] = first + sum(sums[term[2:].removesuffix(".sum}")] for term in terms)
    return sums


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(plan=plans(), seed=st.integers(0, 2**16))
def test_random_graphs_come_out_exactly_while_one_call_in_ten_fails(plan: Plan, seed: int) -> None:
    """Every step is answered once and after all that it names, whatever is tried again."""
    chance = random.Random(seed)
    answered: list[str] = []

    async def add(arguments: dict[str, Any]) -> Any:
        if chance.random() < 0.1:
            raise UpstreamError("injected")
        return {"sum": sum(arguments["terms"])}

    stage = Stage(plan, FakeCapabilities({"add": add}), config=ExecutionConfig(max_attempts=10))
    run = stage.run()
    answered = [entry.id for entry in stage.notes.entries if getattr(entry, "status", "") == "succeeded"][:-1]
    assert run.status == "succeeded"
    assert {one.id: one.result["sum"] for one in run.steps} == expected(plan)
    assert sorted(answered) == sorted(one.id for one in plan.steps)
    begun = {sent.key.split(":")[1]: at for at, sent in reversed(list(enumerate(stage.capabilities.sent)))}
    for one in plan.steps:
        assert all(answered.index(before) < answered.index(one.id) for before in one.after)
        assert all(begun[before] < begun[one.id] for before in one.after)


@pytest.mark.parametrize(("max_parallel", "seconds"), [(32, 3), (4, 7), (1, 22)])
def test_steps_run_beside_each_other_up_to_the_bound(max_parallel: int, seconds: int) -> None:
    """Twenty between two: no longer than the longest way through, where there is room for all of them."""
    wide = [step(f"w{n}", after=["first"]) for n in range(20)]
    stage = Stage(
        plan_of(step("first"), *wide, step("last", after=[one["id"] for one in wide])),
        config=ExecutionConfig(max_parallel=max_parallel),
    )
    assert set(statuses(stage.run()).values()) == {"succeeded"}
    assert stage.took_s == seconds * LATENCY_S


def test_a_step_does_not_wait_for_those_that_it_does_not_name() -> None:
    """No step of a level waits for the slowest of the level before it."""
    stage = Stage(plan_of(step("a"), step("b", after=["a"]), step("c"), step("d", after=["b", "c"])))
    stage.run()
    at = dict(zip(stage.capabilities.keys(), (sent.at for sent in stage.capabilities.sent), strict=True))
    assert at == {"a": 0, "c": 0, "b": LATENCY_S, "d": 2 * LATENCY_S}
