"""A run's rows and what is told of them."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from autoglm.contract.task_run import RunEvent, StepRun, TaskRun
from autoglm.errors import PayloadTooLargeError
from cluster.control.tables import RunRow, RunStepRow

# What the rows of a run may hold, in bytes of JSON with every character in ASCII: up to six for one that an execution
# counts. Its own limits (ExecutionConfig.max_result_bytes and max_results_bytes, by default 1 and 16 MiB) are below.
MAX_STEP_BYTES = 8 << 20
MAX_RUN_BYTES = 128 << 20
MAX_SHOWN_BYTES = 8 << 10  # of one result, to people and in a run that has ended
MAX_EVENT_BYTES = 256 << 10

OVER = frozenset({"succeeded", "failed", "skipped", "cancelled"})  # a step's states that do not change


def document(run: TaskRun) -> dict[str, Any]:
    """A run as its row has it."""
    return run.model_dump(mode="json", exclude={"steps"}, exclude_none=True)


def steps_of(session: Session, run: str) -> list[RunStepRow]:
    """The steps that have begun, in the order in which they did."""
    query = select(RunStepRow).where(RunStepRow.run == run).order_by(RunStepRow.position)
    return list(session.scalars(query))


def whole(session: Session, row: RunRow) -> TaskRun:
    """The run with the steps that have begun and their whole results."""
    return TaskRun.model_validate({**row.run, "steps": [step.step for step in steps_of(session, row.id)]})


def shown(session: Session, row: RunRow) -> TaskRun:
    """The run with all steps, those that have not begun too, and results cut."""
    run = TaskRun.model_validate(row.run)
    begun = [StepRun.model_validate(cut(step)) for step in steps_of(session, row.id)]
    plan = run.plan.steps if run.plan is not None else ()
    steps = {step.id: StepRun(id=step.id, kind=step.kind, name=step.name) for step in plan}
    return run.model_copy(update={"steps": tuple((steps | {step.id: step for step in begun}).values())})


def cut(row: RunStepRow) -> dict[str, Any]:
    """A step whose result is no larger than is shown; of a larger one the beginning of its text."""
    step: dict[str, Any] = row.step
    if row.size <= MAX_SHOWN_BYTES:
        return step
    result = step.get("result")
    text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
    return {**step, "result": text.encode(errors="replace")[:MAX_SHOWN_BYTES].decode(errors="ignore"), "is_cut": True}


def put_step(session: Session, run: str, step: StepRun) -> bool:
    """Write a step unless it is over already; whether it is now as it was given.

    Raises:
        PayloadTooLargeError: its result is too large, or with it all results of the run are.
    """
    given = step.model_dump(mode="json", exclude_none=True)
    row = session.get(RunStepRow, (run, step.id))
    if row is not None and row.step["status"] in OVER:
        return bool(row.step == given)
    size = len(json.dumps(given))
    check_room(session, run, step.id, size)
    if row is None:
        begun = session.scalars(select(func.count()).where(RunStepRow.run == run)).one()
        session.add(RunStepRow(run=run, id=step.id, position=begun, size=size, step=given))
    else:
        row.size, row.step = size, given
    session.flush()
    return True


def check_room(session: Session, run: str, step: str, size: int) -> None:
    """Raises PayloadTooLargeError where there is none for a step of this size."""
    if size > MAX_STEP_BYTES:
        raise PayloadTooLargeError(f"step {step!r}: {size:,} bytes are more than the {MAX_STEP_BYTES:,} that are kept")
    others = select(func.coalesce(func.sum(RunStepRow.size), 0)).where(RunStepRow.run == run, RunStepRow.id != step)
    if session.scalars(others).one() + size > MAX_RUN_BYTES:
        raise PayloadTooLargeError(f"step {step!r}: with it the run's results are more than {MAX_RUN_BYTES:,} bytes")


def close(session: Session, run: str) -> None:
    """Of a run that nobody goes on with: no step is under way any more, and results are cut."""
    for row in steps_of(session, run):
        step = cut(row)
        row.step = step if step["status"] in OVER else {**step, "status": "cancelled"}
        row.size = len(json.dumps(row.step))


def bounded(event: RunEvent) -> dict[str, Any]:
    """An event as it is kept: of one that is too large only its number and type."""
    given = event.model_dump(mode="json", exclude_none=True)
    return given if len(json.dumps(given)) <= MAX_EVENT_BYTES else {"seq": event.seq, "type": event.type}
