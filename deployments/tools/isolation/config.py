"""What an isolated tool may use: the `isolated` of an entry under `tools:`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class IsolationConfig(BaseModel):
    """`isolated: true` takes the defaults.

    `cpu_s` is the CPU time of one call, in whole seconds. `memory_mb` bounds the address space, in MiB: Python with
    this package takes some 200, and a library with many threads reserves more than it uses. `file_mb` bounds each
    file that is written, in MiB.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu_s: int = Field(default=10, ge=1, le=3600)
    memory_mb: int = Field(default=1024, ge=256, le=1024 * 1024)
    file_mb: int = Field(default=16, ge=1, le=1024 * 1024)

    @model_validator(mode="before")
    @classmethod
    def _written(cls, value: Any) -> Any:
        return {} if value is True else value
