"""The runs that the lab sends: what is expected of them must follow from their plans."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.chaos.runs.errands import ASK, Errand, errands, file_of, total
from deployments.planner.references import resolved
from serve_app.config import ClusterConfig

FILE = Path("/tmp/deliveries")


def done(errand: Errand) -> dict[str, int]:
    """The results of the plan's steps, worked off in the order of their numbers."""
    results: dict[str, int] = {}
    for step in sorted(errand.plan.steps, key=lambda one: one.id):
        if step.kind == "tool":
            arguments = resolved(dict(step.arguments), results, 10_000)
            results[step.id] = arguments["own"] + sum(arguments["others"])
    return results


@pytest.mark.parametrize("errand", errands(24, 3, FILE), ids=lambda errand: errand.instruction)
def test_calls_and_answer_are_those_of_the_plan(errand: Errand) -> None:
    """A lab that expects something else finds faults that are none."""
    results = done(errand)
    assert {step: total(call) for step, call in errand.calls.items()} == results
    assert resolved(f"= {errand.plan.answer}", results, 10_000) == f"= {errand.answer}"
    assert 3 <= len(results) <= 8


def test_the_seed_makes_the_errands() -> None:
    """The same again, some of them to be approved and some to be cancelled; no two calls are the same."""
    first, again = errands(24, 1, FILE), errands(24, 1, FILE)
    assert first == again != errands(24, 2, FILE)
    assert sum(errand.cancel_s is not None for errand in first) == 3
    assert sum(any(step.id == ASK for step in errand.plan.steps) for errand in first) == 3
    calls = [call for errand in first for call in errand.calls.values()]
    assert len(set(calls)) == len(calls)


def test_nothing_but_the_first_step_begins_before_it_is_approved() -> None:
    """Else the approval would be no part of the test."""
    [asking] = [errand for errand in errands(8, 1, FILE) if any(step.id == ASK for step in errand.plan.steps)]
    assert {step.id for step in asking.plan.steps if ASK not in step.after} == {"s0", ASK}


def test_the_file_is_one_that_a_cluster_takes() -> None:
    """With the tools that the plans name."""
    config = ClusterConfig.model_validate(file_of())
    named = {step.name for errand in errands(24, 1, FILE) for step in errand.plan.steps if step.kind == "tool"}
    assert {tool.name for tool in config.tools} == {grant.tool for grant in config.grants} == named
