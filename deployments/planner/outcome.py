"""How a run begins, and how it ends."""

from __future__ import annotations

import secrets
from datetime import datetime

from autoglm.contract.error import ErrorDetail
from autoglm.contract.task_run import RunEvent, RunStatus, StepRun, TaskRequest, TaskRun
from autoglm.errors import APIStatusError
from deployments.planner.size import cut

UNDER_WAY = frozenset({"pending", "waiting", "running"})
MAX_SHOWN_BYTES = 8 << 10  # of a result, as an execution shows it where nothing else is configured
CANCELLATION = ErrorDetail(message="the run was cancelled", type="cancelled", code="cancelled")


def new_run(request: TaskRequest, now: datetime, name: str | None = None) -> TaskRun:
    """A run of which nothing is done yet; `name` is 32 hexadecimal digits, at random where they are not given."""
    return TaskRun(
        id=f"run_{name or secrets.token_hex(16)}",
        instruction=request.instruction,
        status="planning",
        background=request.background,
        created=now,
    )


def failed(run: TaskRun, error: APIStatusError, now: datetime) -> TaskRun:
    """The run, ended by an error."""
    return ended(run, "failed", now, error.body().error)


def cancelled(run: TaskRun, now: datetime) -> TaskRun:
    """The run, ended because somebody wanted it so."""
    return ended(run, "cancelled", now, CANCELLATION)


def ended(run: TaskRun, status: RunStatus, now: datetime, error: ErrorDetail | None = None) -> TaskRun:
    """The run with nothing under way, its results no larger than they are shown."""
    steps = tuple(closed(step, now) for step in run.steps)
    end = {"status": status, "error": error, "steps": steps, "waiting_for": None, "finished": now}
    return run.model_copy(update=end)


def closed(step: StepRun, now: datetime) -> StepRun:
    """The step, ended where it had not, its result cut."""
    if step.status in UNDER_WAY:
        return step.model_copy(update={"status": "cancelled", "finished": now, "result": None})
    result, is_cut = cut(step.result, MAX_SHOWN_BYTES)
    return step.model_copy(update={"result": result, "is_cut": is_cut or step.is_cut})


def last_event(run: TaskRun, seq: int) -> RunEvent:
    """The event that says how a run ended: its answer, or its error."""
    if run.error is None:
        return RunEvent(seq=seq, type="answer", run=run)
    return RunEvent(seq=seq, type="error", run=run, error=run.error)
