"""When a breaker opens, for how long, and what closes it."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

WINDOW_S = 10.0  # Hystrix's default: long enough for a rate at one call a second, short enough to forget a restart


class BreakerConfig(BaseModel):
    """The window is of calls (`window_calls`) or of time (`window_s`, the default, of 10 s).

    It opens where at least `minimum_calls` are in the window and the share that failed, or took `slow_call_s` or
    longer, reaches its threshold; without `slow_call_s` slowness is not watched. `open_s` is the probe interval, in
    seconds: after it, at most `probes` calls are let through at a time, and `successes` of them (as many as `probes`,
    unless given) close it.

    The default interval is about what Serve takes to replace a dead replica; one call a second costs a dead target
    nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    window_calls: int | None = Field(default=None, ge=1, le=10_000)
    window_s: float | None = Field(default=None, gt=0)
    minimum_calls: int = Field(default=5, ge=1)
    failure_rate: float = Field(default=0.5, gt=0, le=1)
    slow_call_s: float | None = Field(default=None, gt=0)
    slow_call_rate: float = Field(default=0.5, gt=0, le=1)
    open_s: float = Field(default=1.0, gt=0)
    probes: int = Field(default=1, ge=1)
    successes: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_window(self) -> Self:
        if self.window_calls is not None and self.window_s is not None:
            raise ValueError(
                f"window_calls ({self.window_calls}) and window_s ({self.window_s}) are both given; one of them will do"
            )
        return self

    @model_validator(mode="after")
    def _can_open(self) -> Self:
        if self.window_calls is not None and self.window_calls < self.minimum_calls:
            raise ValueError(
                f"window_calls ({self.window_calls}) is below minimum_calls ({self.minimum_calls}), "
                "so the breaker could never open by a rate"
            )
        return self

    @property
    def successes_to_close(self) -> int:
        """How many probes have to succeed."""
        return self.successes or self.probes

    def is_slow(self, seconds: float) -> bool:
        """Whether a call of this duration is slow."""
        return self.slow_call_s is not None and seconds >= self.slow_call_s
