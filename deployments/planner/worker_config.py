"""How a replica takes runs of the background from the store."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class WorkerConfig(BaseModel):
    """How many runs it holds, and for how long it does without hearing of the store.

    A run whose replica is gone is another's after `lease_s`. A replica renews its leases, asks for more to do and hears
    of cancelled runs each `poll_s`. One that was claimed `max_claims` times has probably ended each replica that ran
    it, and is failed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_runs: int = Field(default=16, ge=1, le=1000)
    lease_s: float = Field(default=15.0, ge=1.0, le=600.0)
    poll_s: float = Field(default=0.5, gt=0.0, le=60.0)
    max_claims: int = Field(default=100, ge=2)
