"""What every run is bounded to."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ExecutionConfig(BaseModel):
    """The bounds of one run. A request may ask for less, and not for more.

    Runaway: `max_steps` over all of its plans, `max_calls` sent over all steps and attempts, `max_same_calls` of one
    tool, model or task with the same arguments, `max_replans` new plans after failures, `timeout_s` in all;
    `step_timeout_s` is the time of a step that names none, over all of its attempts.
    Retries: `max_attempts` of a step, the first included, `max_retries` of the run; waits between them in seconds.
    Bytes, of the JSON text: `max_argument_bytes` that results put into one call, `max_result_bytes` of one result or
    the answer, `max_results_bytes` of all that are kept, `max_shown_bytes` of a result in events and in the run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_parallel: int = Field(default=32, ge=1, le=1000)
    max_steps: int = Field(default=200, ge=1, le=1000)
    max_calls: int = Field(default=500, ge=1)  # two and a half a step of the longest plan
    max_same_calls: int = Field(default=10, ge=1)  # a list that is worked off step by step may hold one thing so often
    max_replans: int = Field(default=2, ge=0, le=10)
    timeout_s: float = Field(default=600.0, gt=0)  # as the router's own deadline
    step_timeout_s: float = Field(default=120.0, gt=0)  # a long generation on a CPU

    max_attempts: int = Field(default=3, ge=1, le=10)
    max_retries: int = Field(default=50, ge=0)  # a tool that fails one call in ten, in the longest plan, twice over
    backoff_s: float = Field(default=0.1, ge=0)
    max_backoff_s: float = Field(default=5.0, ge=0)

    max_argument_bytes: int = Field(default=1 << 20, ge=1)
    max_result_bytes: int = Field(default=1 << 20, ge=1)
    max_results_bytes: int = Field(default=16 << 20, ge=1)
    max_shown_bytes: int = Field(default=8 << 10, ge=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for smaller, larger in (
            ("backoff_s", "max_backoff_s"),
            ("max_shown_bytes", "max_result_bytes"),
            ("max_result_bytes", "max_results_bytes"),
        ):
            if getattr(self, smaller) > getattr(self, larger):
                raise ValueError(f"{larger} ({getattr(self, larger)}) is below {smaller} ({getattr(self, smaller)})")
        return self
