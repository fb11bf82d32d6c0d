"""A plan: the steps that an instruction becomes, and how they depend on each other.

A string in a step's arguments that is `${ID}` or `${ID.path[0].field}` as a whole becomes that part of the result of
the step `ID`, with its type; inside a longer string it becomes text. `$${` is a plain `${`. What a result holds is
never expanded again.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from autoglm.contract import plan_view
from autoglm.contract.base import RequestModel
from autoglm.contract.field import Positive

StepId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
StepKind = Literal["tool", "model", "task", "approval"]
Comparison = Literal["eq", "ne", "lt", "le", "gt", "ge", "in", "contains", "exists"]

MAX_STEPS = 1000  # that a reader takes in at all; what a run may have is the cluster's to limit


class Condition(RequestModel):
    """A step with one runs only where it holds: `value` compared with what `ref`, a `${...}`, stands for."""

    ref: str = Field(pattern=r"^\$\{[^{}]+\}$", max_length=256)
    op: Comparison
    value: Any = None


class Step(RequestModel):
    """One step. `name` is the tool, the model or the task; of an approval, what is to be approved.

    The arguments of a model are `messages` or `prompt`, and the fields of a chat request beside them; those of a task
    are `inputs`. A step waits for the steps that its arguments, its condition and `after` name. It is skipped where its
    condition does not hold, and with it all that need its result. `fallback` is run instead where it fails.
    """

    id: StepId
    kind: StepKind
    name: str = Field(min_length=1, max_length=128)
    arguments: dict[str, Any] = Field(default_factory=dict)
    after: tuple[StepId, ...] = Field(default=(), max_length=MAX_STEPS)
    when: Condition | None = None
    why: str = Field(default="", max_length=500)
    timeout_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    max_attempts: Positive | None = None
    fallback: Fallback | None = None


class Fallback(RequestModel):
    """What is run where a step fails: another tool, model or task with arguments of its own."""

    kind: Literal["tool", "model", "task"]
    name: str = Field(min_length=1, max_length=128)
    arguments: dict[str, Any] = Field(default_factory=dict)


class Plan(RequestModel):
    """Steps in any order. `answer` is a text with references; without one the results are put into words."""

    steps: tuple[Step, ...] = Field(min_length=1, max_length=MAX_STEPS)
    answer: str | None = Field(default=None, max_length=10_000)

    def __str__(self) -> str:
        return "\n".join(plan_view.lines(self, {}))

    def _repr_html_(self) -> str:
        return plan_view.svg(self, {})

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


Step.model_rebuild()
