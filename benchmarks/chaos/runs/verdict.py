"""What became of one run: what its services saw, and what it says of itself, against what had to be."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from autoglm.contract.task_run import ENDED, StepRun, TaskRun
from benchmarks.chaos.runs.errands import ASK, Call, Errand, total

Deliveries = Mapping[str, Sequence[Call]]  # by idempotency key, in the order in which they came


class Verdict(StrEnum):
    """Of a run with which something went wrong."""

    LOST = "lost"  # nobody knows it, or it has not ended
    FAILED = "failed"  # or cancelled, and nobody wanted it so
    MISSING = "missing"  # a step that succeeded without its effect
    DOUBLED = "doubled"  # two calls under one key, or an effect of a step that never began
    WRONG = "wrong"  # a call, a result or an answer that is another than it has to be


@dataclass(frozen=True)
class Judged:
    """A run, with its effects and the deliveries that came again."""

    run: TaskRun | None
    verdicts: frozenset[Verdict]
    effects: int = 0
    again: int = 0


def read(deliveries: Path) -> Deliveries:
    """Every call that came, by its key; none where none did."""
    found: dict[str, list[Call]] = defaultdict(list)
    for line in deliveries.read_text().splitlines() if deliveries.exists() else ():
        told = json.loads(line)
        found[told["key"]].append(tuple(told["call"]))
    return found


def judge(errand: Errand, run: TaskRun | None, deliveries: Deliveries) -> Judged:
    """All that is to be said of a run."""
    if run is None:
        return Judged(None, frozenset({Verdict.LOST}))
    came = {step: deliveries.get(f"{run.id}:{step}", ()) for step in errand.calls}
    steps = {step.id: step for step in run.steps}
    verdicts = {*of_end(errand, run)}
    for step, call in errand.calls.items():
        verdicts |= of_step(steps.get(step), call, came[step])
    effects = sum(bool(calls) for calls in came.values())
    return Judged(run, frozenset(verdicts), effects, sum(map(len, came.values())) - effects)


def of_end(errand: Errand, run: TaskRun) -> set[Verdict]:
    """How it ended, and with which answer."""
    if run.status not in ENDED:
        return {Verdict.LOST}
    if run.status == "succeeded":
        done = {step.id for step in run.steps if step.status == "succeeded"} - {ASK}
        return set() if run.answer == errand.answer and done == errand.calls.keys() else {Verdict.WRONG}
    return set() if run.status == "cancelled" and errand.cancel_s is not None else {Verdict.FAILED}


def of_step(step: StepRun | None, call: Call, came: Sequence[Call]) -> set[Verdict]:
    """Its effect, which is there exactly once by its key, and its result."""
    verdicts = set()
    if len(set(came)) > 1 or (came and (step is None or step.started is None)):
        verdicts.add(Verdict.DOUBLED)
    if came and came[0] != call:
        verdicts.add(Verdict.WRONG)
    if step is not None and step.status == "succeeded":
        verdicts |= set() if came else {Verdict.MISSING}
        verdicts |= set() if step.result == total(call) else {Verdict.WRONG}
    return verdicts


def strays(deliveries: Deliveries, runs: Sequence[TaskRun]) -> set[str]:
    """The keys of no step of these runs."""
    known = {f"{run.id}:{step.id}" for run in runs for step in (run.plan.steps if run.plan else ())}
    return deliveries.keys() - known
