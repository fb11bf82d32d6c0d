"""A plan, and who made it."""

from __future__ import annotations

from dataclasses import dataclass

from autoglm.contract.plan import Plan
from autoglm.contract.task_run import Planner


@dataclass(frozen=True, slots=True)
class Planned:
    """A valid plan."""

    plan: Plan
    planner: Planner
