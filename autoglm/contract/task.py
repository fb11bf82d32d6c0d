"""The declaration of a task: the same fields in Python, in a task file and in the cluster's YAML."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from autoglm.contract.base import RequestModel

TaskType = Literal[
    "text-classification",
    "zero-shot-classification",
    "text-generation",
    "embedding",
    "image-classification",
    "tabular-classification",
]


class DataConfig(RequestModel):
    """Labelled rows to fit a head on: a CSV, TSV or JSON-lines file, or `embedded/NAME`.

    `text` names the column of a text task; `features` the columns of a tabular one (by default all but the label).
    """

    train: str
    test: str | None = None
    text: str = "text"
    features: list[str] | None = None
    label: str = "label"


class BatchingConfig(RequestModel):
    """How the predictor gathers inputs; both may be changed while it runs."""

    max_batch_size: int = Field(default=32, ge=1, le=4096)
    batch_wait_timeout_s: float = Field(default=0.01, ge=0, le=10)


class TaskConfig(RequestModel):
    """What to do, with which model, and how it is fitted and batched."""

    task: TaskType
    model: str | None = None
    labels: list[str] | None = None
    data: DataConfig | None = None
    metrics: list[str] = Field(default_factory=lambda: ["accuracy"])
    batching: BatchingConfig = BatchingConfig()
