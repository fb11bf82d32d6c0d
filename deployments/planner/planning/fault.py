"""What is wrong with a plan, told so that a person or a model can put it right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autoglm.errors import APIStatusError, PermissionDeniedError, UnprocessableEntityError

MAX_TOLD = 20  # of the faults of a plan; who has mended so many asks again
MAX_CHARS = 300  # of one


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `field` is a path in the step, `arguments.start`; `step` is None for the plan as a whole."""

    step: str | None
    field: str
    message: str
    is_denied: bool = False
    is_unknown: bool = False  # what it calls is not there, for nobody

    def __str__(self) -> str:
        place = f"step {self.step!r}, {self.field}" if self.step else self.field
        return f"{place}: {self.message[:MAX_CHARS]}"


def told(faults: Sequence[Fault]) -> str:
    """All of them in one text, the first `MAX_TOLD`."""
    more = f"; and {len(faults) - MAX_TOLD} more" if len(faults) > MAX_TOLD else ""
    return "; ".join(map(str, faults[:MAX_TOLD])) + more


def refusal(faults: Sequence[Fault]) -> APIStatusError:
    """The error of a faulty plan: 403 where a grant is missing, 422 else."""
    kind = PermissionDeniedError if any(fault.is_denied for fault in faults) else UnprocessableEntityError
    first = faults[0]
    return kind(told(faults), param=f"plan.{first.step}.{first.field}" if first.step else "plan")
