"""What the gate of each target holds to."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class LoadSheddingConfig(BaseModel):
    """The gate of one target in one router replica.

    `policy`: how the limit of requests in flight is found: `gradient` (by latency and throughput), `aimd` (by time-outs
    alone) or `fixed` (`initial_limit` for ever).
    `max_waiting`, `max_wait_s`: what the queue of each priority is bounded to.
    `batch_share`: while there is interactive traffic, a batch request enters only below this part of the limit, as
    telephone networks reserve trunks. The limit follows what is let in below it, so that batch alone fills the target,
    and interactive requests find as much room again: at most at twice their latency.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: Literal["gradient", "aimd", "fixed"] = "gradient"
    initial_limit: int = Field(default=64, ge=1)  # two full batches of a predictor, or of vLLM's on a CPU
    min_limit: int = Field(default=4, ge=1)  # one call is computed while the next is on its way, and as much again
    max_limit: int = Field(default=1024, ge=1)
    max_waiting: int = Field(default=4096, ge=0)
    max_wait_s: float = Field(default=30.0, gt=0, allow_inf_nan=False)
    batch_share: float = Field(default=0.5, gt=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.min_limit <= self.initial_limit <= self.max_limit:
            raise ValueError(
                f"initial_limit: got {self.initial_limit}, which is not between "
                f"min_limit ({self.min_limit}) and max_limit ({self.max_limit})"
            )
        return self
