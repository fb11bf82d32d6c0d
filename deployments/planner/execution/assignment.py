"""A run as it is handed to whoever executes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autoglm.contract.plan import Plan
from autoglm.contract.task_run import TaskRun


@dataclass(frozen=True, slots=True)
class Assignment:
    """A run with a plan, and what was there before.

    `run.steps` are those that earlier executions told the journal, with their whole results: what ended is not done
    again, what was running is, under the same key. `approved` are the decisions so far, by the step's id. `timeout_s`
    and `max_steps` are what its request allows. Of that time `spent_s` are over, the time that it waited for people not
    counted. `seq` is the number of its last event.
    """

    run: TaskRun
    approved: Mapping[str, bool] = field(default_factory=dict)
    timeout_s: float | None = None
    max_steps: int | None = None
    seq: int = 0
    spent_s: float = 0.0

    @property
    def plan(self) -> Plan:
        """The plan in force.

        Raises:
            ValueError: the run has none.
        """
        if self.run.plan is None:
            raise ValueError(f"run {self.run.id} has no plan; one is made before it is executed")
        return self.run.plan
