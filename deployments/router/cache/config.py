"""What is kept, where and for how long: the `cache` section of the cluster's file."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from deployments.router.cache.semantic import SemanticConfig

SCHEMES = ("redis://", "rediss://", "unix://")
MIB = 1024 * 1024


class CacheConfig(BaseModel):
    """`backend` is `memory` or a Redis URL (with memory in front of it), which no log, repr or error shows.

    After `ttl_s` an answer is still served for `stale_s` while it is computed anew, and kept for `keep_stale_s` as a
    fallback where the model cannot answer. `negative_ttl_s` keeps errors of the request itself (404, 422). `write` is
    `through` (in Redis when the caller has the answer, or TIMEOUT_S later) or `back` (soon after; write_back.py says
    what may be lost).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    enabled: bool = True
    backend: str = Field(default="memory", repr=False)  # no SecretStr: that does not survive a dump to JSON
    ttl_s: float = Field(default=300.0, gt=0)
    max_entries: int = Field(default=10_000, ge=1)
    max_bytes: int = Field(default=256 * MIB, ge=1)
    max_entry_bytes: int = Field(default=MIB, ge=1)
    stale_s: float = Field(default=0.0, ge=0)
    keep_stale_s: float = Field(default=3600.0, ge=0)
    negative_ttl_s: float = Field(default=0.0, ge=0)
    write: Literal["through", "back"] = "through"
    semantic: SemanticConfig | None = None

    @field_validator("backend")
    @classmethod
    def _known(cls, backend: str) -> str:
        if backend != "memory" and not backend.startswith(SCHEMES):
            raise ValueError(f"backend: this is neither 'memory' nor a URL that starts with {', '.join(SCHEMES)}")
        return backend

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.max_entry_bytes > self.max_bytes:
            raise ValueError(
                f"max_entry_bytes ({self.max_entry_bytes}) is above max_bytes ({self.max_bytes}), "
                "so the largest answers that are to be kept never could be"
            )
        return self

    @property
    def redis_url(self) -> str | None:
        """The URL, password and all; None for memory."""
        return None if self.backend == "memory" else self.backend

    @property
    def kept_s(self) -> float:
        """How long an answer is kept in all."""
        return self.ttl_s + max(self.stale_s, self.keep_stale_s)
