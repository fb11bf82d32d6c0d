"""The declaration of a task: the same fields in Python, in a task file and in the cluster's YAML."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from autoglm.contract.base import RequestModel

TaskType = Literal[
    "text-classification",
    "zero-shot-classification",
    "text-generation",
    "embedding",
    "image-classification",
    "tabular-classification",
    "tabular-regression",
]
DeclaredTask = Literal[TaskType, "auto"]  # `auto`: told from the declared data and model


class DataConfig(RequestModel):
    """Labelled rows: a CSV, TSV, JSON-lines or Parquet file, or `embedded/NAME`. A head is fitted on `train`.

    `text` and `image` name the column of a text or image task; `features` the columns of a tabular one (by default
    all but the label); `columns` all columns of a CSV or TSV file that has no header line.
    """

    train: str | None = None
    test: str | None = None
    text: str = "text"
    image: str = "image"
    features: list[str] | None = None
    label: str = "label"
    columns: list[str] | None = None

    @model_validator(mode="after")
    def _some_rows(self) -> Self:
        if self.train is None and self.test is None:
            raise ValueError("neither train nor test is declared; name a file of labelled rows")
        return self


class FitConfig(RequestModel):
    """How a task learns: a `head` on the frozen model, or the `full` model with it.

    A head's optimum is unique and found without chance, so all other settings are full fine-tuning's.
    """

    method: Literal["head", "full"] = "head"
    epochs: int = Field(default=3, ge=1, le=100)
    learning_rate: float = Field(default=5e-5, gt=0, le=1)
    batch_size: int = Field(default=32, ge=1, le=1024)
    seed: int = Field(default=0, ge=0, lt=2**32)

    @model_validator(mode="after")
    def _used(self) -> Self:
        unused = self.model_fields_set - {"method"}
        if self.method == "head" and unused:
            raise ValueError(f"{', '.join(sorted(unused))}: only full fine-tuning uses it; add `method: full`")
        return self


class BatchingConfig(RequestModel):
    """How inputs are gathered: computed at most `max_batch_size` at once; both may be changed while it runs.

    While the model is free nothing waits. While it is busy, a request waits in the router for company, at most
    `batch_wait_timeout_s`.
    """

    max_batch_size: int = Field(default=32, ge=1, le=4096)
    batch_wait_timeout_s: float = Field(default=0.01, ge=0, le=10)


class TaskConfig(RequestModel):
    """What to do, with which model, and how it is fitted, measured and batched.

    `metrics` are by default all of the task's kind. `allow_urls` lets this process fetch the images that inputs name
    by URL; a cluster never fetches any.
    """

    name: str | None = None
    task: DeclaredTask
    model: str | None = None
    labels: list[str] | None = None
    data: DataConfig | None = None
    fit: FitConfig = FitConfig()
    metrics: list[str] | None = None
    batching: BatchingConfig = BatchingConfig()
    allow_urls: bool = False
