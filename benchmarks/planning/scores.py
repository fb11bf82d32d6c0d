"""How near a plan is to the right one, and whether an answer says what it must."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

from autoglm.contract.plan import Plan
from deployments.planner.graph import dependencies

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)
TOLERANCE = 1e-3  # relative, of a number that is no integer: a model may round


def f1(found: Iterable[Hashable], right: Iterable[Hashable]) -> float:
    """The harmonic mean of precision and recall of two multisets; 1 where both are empty.

    Over the names of steps and over pairs of names, as TaskBench scores plans (Shen et al., 2023).
    """
    ours, gold = Counter(found), Counter(right)
    total = ours.total() + gold.total()
    return 2 * (ours & gold).total() / total if total else 1.0


def nodes(plan: Plan) -> list[str]:
    """What its steps call."""
    return [step.name for step in plan.steps]


def edges(plan: Plan) -> list[tuple[str, str]]:
    """The names of each two steps of which the second waits for the first."""
    names = {step.id: step.name for step in plan.steps}
    return [(names[before], step.name) for step in plan.steps for before in dependencies(step)]


def says(answer: str, expected: Sequence[int | float | str]) -> bool:
    """Whether all that is expected stands in the answer; an integer exactly, another number about."""
    numbers = [float(number) for number in NUMBER.findall(answer)]
    return all(_has(answer, numbers, one) for one in expected)


def _has(answer: str, numbers: Sequence[float], expected: float | str) -> bool:
    if isinstance(expected, str):
        return expected.casefold() in answer.casefold()
    tolerance = 1e-9 if isinstance(expected, int) else TOLERANCE * abs(expected)
    return any(abs(number - expected) <= tolerance for number in numbers)
