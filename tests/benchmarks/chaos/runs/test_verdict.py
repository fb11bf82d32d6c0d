"""The judge of background runs, with doctored ones: one that sees no fault proves nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from autoglm.contract.task_run import StepRun, TaskRun
from benchmarks.chaos.runs.errands import Errand, errands, total
from benchmarks.chaos.runs.services import effect
from benchmarks.chaos.runs.verdict import Deliveries, Verdict, judge, read, strays

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ID = f"run_{1:032x}"
PLAIN = errands(1, 1, Path("/tmp/deliveries"))[0]
CANCELLED = errands(6, 1, Path("/tmp/deliveries"))[5]


def told(errand: Errand = PLAIN, **fields: Any) -> TaskRun:
    """The run as it has to end, but for what is given."""
    steps = tuple(step(errand, name) for name in errand.calls)
    given = {"status": "succeeded", "steps": steps, "answer": errand.answer, "plan": errand.plan, **fields}
    return TaskRun.model_validate({"id": ID, "instruction": errand.instruction, "created": NOW, **given})


def step(errand: Errand, name: str, **fields: Any) -> StepRun:
    done = {"status": "succeeded", "started": NOW, "result": total(errand.calls[name]), **fields}
    return StepRun.model_validate({"id": name, "kind": "tool", "name": "book", **done})


def came(errand: Errand = PLAIN) -> dict[str, list[Any]]:
    return {f"{ID}:{name}": [call] for name, call in errand.calls.items()}


def steps_with(**fields: Any) -> tuple[StepRun, ...]:
    """The first step otherwise."""
    return tuple(step(PLAIN, name, **(fields if name == "s0" else {})) for name in PLAIN.calls)


def test_a_run_as_it_has_to_be_is_nothing_to_speak_of() -> None:
    """Also where calls came again under their keys."""
    deliveries = came()
    deliveries[f"{ID}:s0"] *= 3
    judged = judge(PLAIN, told(), deliveries)
    assert (judged.verdicts, judged.effects, judged.again) == (frozenset(), len(PLAIN.calls), 2)


@pytest.mark.parametrize(
    ("run", "deliveries", "verdicts"),
    [
        (None, {}, {Verdict.LOST}),
        (told(status="running"), came(), {Verdict.LOST}),
        (told(status="failed"), came(), {Verdict.FAILED}),
        (told(status="cancelled"), came(), {Verdict.FAILED}),
        (told(answer="0"), came(), {Verdict.WRONG}),
        (told(steps=steps_with(result=0)), came(), {Verdict.WRONG}),
        (told(steps=steps_with(status="cancelled")), came(), {Verdict.WRONG}),
        (told(), came() | {f"{ID}:s0": []}, {Verdict.MISSING}),
        (told(), came() | {f"{ID}:s0": [(0, "s0", 1)]}, {Verdict.WRONG}),
        (told(), came() | {f"{ID}:s0": [PLAIN.calls["s0"], (0, "s0", 1)]}, {Verdict.DOUBLED}),
    ],
)
def test_a_doctored_run_is_seen_through(run: TaskRun | None, deliveries: Deliveries, verdicts: set[Verdict]) -> None:
    """One thing missing, twice, or another than it has to be."""
    assert judge(PLAIN, run, deliveries).verdicts == verdicts


def test_a_run_that_was_to_be_cancelled_has_the_effects_of_what_began() -> None:
    """Of a step that was under way nobody knows; one that never began must have none."""
    steps = (step(CANCELLED, "s0"), step(CANCELLED, "s1", status="cancelled", result=None))
    run = told(CANCELLED, status="cancelled", steps=steps, answer=None)
    deliveries = {key: calls for key, calls in came(CANCELLED).items() if key[-2:] in ("s0", "s1")}
    assert not judge(CANCELLED, run, deliveries).verdicts
    assert not judge(CANCELLED, run, {f"{ID}:s0": deliveries[f"{ID}:s0"]}).verdicts
    assert judge(CANCELLED, run, came(CANCELLED)).verdicts == {Verdict.DOUBLED}


def test_an_effect_of_no_run_is_a_stray() -> None:
    """One that was begun twice, and of which only one is known."""
    assert strays({**came(), "run_x:s0": [(1, "s0", 2)]}, [told()]) == {"run_x:s0"}


def test_what_a_service_wrote_is_read(tmp_path: Path) -> None:
    """Before the first call there is nothing."""
    file = tmp_path / "deliveries"
    assert not read(file)
    assert effect(str(file), "k", 7, "s1", [1, 2]) == effect(str(file), "k", 7, "s1", [1, 2]) == 3
    assert read(file) == {"k": [(7, "s1", 1, 2)] * 2}
