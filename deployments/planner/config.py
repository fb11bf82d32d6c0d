"""The YAML's `planner:`: how plans are made, how they are run, and how many at once."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from deployments.planner.execution.config import ExecutionConfig
from deployments.planner.planning.config import PlanningConfig
from deployments.planner.worker_config import WorkerConfig


class PlannerConfig(BaseModel):
    """All of it. `max_runs` are those that a replica runs while somebody listens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    planning: PlanningConfig = PlanningConfig()
    execution: ExecutionConfig = ExecutionConfig()
    background: WorkerConfig = WorkerConfig()
    max_runs: int = Field(default=64, ge=1, le=10_000)
