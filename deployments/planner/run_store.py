"""Where durable runs are kept, step by step: the control plane, as the planner reaches it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from autoglm.contract.plan import Plan
from autoglm.contract.task_run import Planner, RunEvent, StepRun, TaskRequest, TaskRun
from autoglm.contract.usage import Usage
from deployments.caller import Caller


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that a worker may go on with until its lease ends. `fence` rises with each claim: an older one is refused.

    `approved` holds the decisions so far, by the step's id; `plan` is the key of the plan's own. The run's steps bear
    their whole results, and `seq` is the number of the last event that is kept. `spent_s` is how long others have held
    the run, the time that it waited for people not counted, nor that between a worker's death and this claim.
    """

    run: TaskRun
    request: TaskRequest
    caller: Caller
    fence: int
    approved: dict[str, bool]
    seq: int = 0
    spent_s: float = 0.0


class RunStore(Protocol):
    """Every method raises UnavailableError where the store is away; what is written once stays written."""

    async def create(self, run: TaskRun, request: TaskRequest, caller: Caller) -> None:
        """A new run, as far as it is: with its plan and its steps, which a worker need not do again.

        A worker may claim it at once, unless it has ended already or is `waiting`. Its fence is 0 until then. A second
        time nothing changes; raises ConflictError where the run is there, of another request or caller.
        """
        ...

    async def claim(self, worker: str, count: int, lease_s: float) -> Sequence[Claim]:
        """The oldest runs, `count` at most, that have something to do and no worker whose lease lasts."""
        ...

    async def renew(self, worker: str, fences: dict[str, int], lease_s: float) -> Sequence[str]:
        """Prolong the leases, by run id and fence; the ids of those that are to be stopped: cancelled, or another's."""
        ...

    async def planned(self, run: str, fence: int, plan: Plan, planner: Planner) -> None:
        """As the journal's; like all that follow it raises ConflictError for a fence that is not the newest."""
        ...

    async def step(self, run: str, fence: int, step: StepRun, usage: Usage | None = None) -> None:
        """As the journal's."""
        ...

    async def wait(self, run: str, fence: int, waiting_for: str, usage: Usage | None = None) -> None:
        """The run waits for an approval of the step, or of the `plan`, and needs no worker until then."""
        ...

    async def ended(self, run: TaskRun, fence: int) -> None:
        """As the journal's."""
        ...

    async def events(self, run: str, fence: int, events: Sequence[RunEvent]) -> None:
        """Keep these for who watches; of a run the last ten thousand are kept."""
        ...
