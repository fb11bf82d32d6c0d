"""What a run comes to."""

from __future__ import annotations

from dataclasses import dataclass

from autoglm.contract.error import ErrorDetail
from autoglm.contract.task_run import RunStatus
from autoglm.errors import APIStatusError
from deployments.planner.execution.failures import detail
from deployments.planner.outcome import CANCELLATION


@dataclass(frozen=True, slots=True)
class Outcome:
    """Its end, or that it waits for a person's decision on a step."""

    status: RunStatus
    answer: str | None = None
    error: ErrorDetail | None = None
    waiting_for: str | None = None


CANCELLED = Outcome("cancelled", error=CANCELLATION)


def failed(error: APIStatusError) -> Outcome:
    """The end of a run that no step of it is to blame for."""
    return Outcome("failed", error=detail(error))
