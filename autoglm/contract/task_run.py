"""`/v1/tasks`: an instruction that becomes work done, its plan, its steps and its events."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from autoglm.contract import notebook, plan_view
from autoglm.contract.base import RequestModel, ResponseModel
from autoglm.contract.error import ErrorDetail
from autoglm.contract.field import Moment, Positive
from autoglm.contract.plan import Plan, StepId, StepKind
from autoglm.contract.tool import ToolName
from autoglm.contract.usage import Usage

RunId = Annotated[str, StringConstraints(pattern=r"^run_[0-9a-f]{32}$")]
RunStatus = Literal["planning", "planned", "waiting", "running", "succeeded", "failed", "cancelled"]
StepStatus = Literal["pending", "waiting", "running", "succeeded", "failed", "skipped", "cancelled"]
# Who made the plan: one tool, task or chat that answers alone; rules; the declared model; the caller.
Planner = Literal["direct", "rules", "model", "user"]
EventType = Literal["plan", "step_started", "step_output", "step_finished", "token", "answer", "error"]

ENDED: frozenset[RunStatus] = frozenset({"planned", "succeeded", "failed", "cancelled"})


class TaskRequest(RequestModel):
    """An instruction, and how it is to be done.

    With a `plan` nothing is planned. A `dry_run` ends with the plan. With `approve` the run waits, once planned, until
    the plan is approved. In the `background` the answer is the run as it begins, and it goes on whatever happens to the
    connection or the cluster; else with `stream` the answer is its events. `tools` narrows what the plan may use.
    """

    instruction: str = Field(min_length=1, max_length=100_000)
    plan: Plan | None = None
    tools: tuple[ToolName, ...] | None = Field(default=None, max_length=1000)
    dry_run: bool = False
    approve: bool = False
    background: bool = False
    stream: bool = False
    max_steps: Positive | None = None
    timeout_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)


class StepRun(ResponseModel):
    """What became of a step; a `result` that is too large for this place is cut, and `is_cut` says so.

    Of a step that waits it is the call that a person is to approve, with its fallback.
    """

    id: StepId
    kind: StepKind
    name: str
    status: StepStatus = "pending"
    attempts: int = 0
    started: Moment | None = None
    finished: Moment | None = None
    result: Any = None
    is_cut: bool = False
    error: ErrorDetail | None = None


class TaskRun(ResponseModel):
    """A run now; `str()` of it is the answer. `waiting_for` is the step whose approval it waits for, or `plan`."""

    id: RunId
    instruction: str
    status: RunStatus
    planner: Planner | None = None
    plan: Plan | None = None
    steps: tuple[StepRun, ...] = ()
    answer: str | None = None
    error: ErrorDetail | None = None
    waiting_for: str | None = None
    background: bool = False
    created: Moment
    finished: Moment | None = None
    usage: Usage | None = None

    def __str__(self) -> str:
        return self.answer or ""

    def _repr_html_(self) -> str:
        graph = "" if self.plan is None else plan_view.svg(self.plan, {step.id: step.status for step in self.steps})
        return notebook.text(f"{self.id}: {self.status}", self.answer or "") + graph


class TaskRunList(ResponseModel):
    """Runs, the newest first; `has_more` says that there are others after the last."""

    data: tuple[TaskRun, ...]
    has_more: bool = False


class ApprovalRequest(RequestModel):
    """A decision on what the run waits for: the plan where no `step` is named."""

    step: StepId | None = None
    approved: bool = True
    reason: str = Field(default="", max_length=500)


class RunEvent(ResponseModel):
    """One event of a run, numbered from 1 without a gap; on the wire an SSE event of its type, whose id is `seq`.

    `plan` bears the run's `plan`, a step's events the `step`, `step_output` and `token` a `text`, `answer` the `run` as
    it ended, `error` the `error`, and the run where it ended with it.
    """

    seq: int
    type: EventType
    run: TaskRun | None = None
    plan: Plan | None = None
    step: StepRun | None = None
    text: str | None = None
    error: ErrorDetail | None = None
