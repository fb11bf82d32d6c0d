"""`POST /v1/predict`: a declared task over a list of inputs."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from autoglm.contract import notebook
from autoglm.contract.base import RequestModel, ResponseModel
from autoglm.contract.usage import Usage


class PredictRequest(RequestModel):
    """Inputs are texts, base64 images or rows of numbers, as the task takes them."""

    task: str = Field(min_length=1)
    inputs: list[Any] = Field(min_length=1)


class Prediction(ResponseModel):
    """One input's answer: the label, its probability, and the probability of every label.

    For tasks of very many labels (ImageNet's 1,000) `scores` holds the most likely ones.
    A regression answers with `value`; `label` is then the number as text, and `score` is 0, as it has no probability.
    """

    label: str
    score: float
    scores: dict[str, float] = Field(default_factory=dict)
    value: float | None = Field(default=None, exclude_if=lambda value: value is None)


class PredictResponse(ResponseModel):
    """The answers, in the order of the inputs."""

    task: str
    model: str
    version: str
    predictions: tuple[Prediction, ...]
    usage: Usage = Usage()

    def _repr_html_(self) -> str:
        rows = [(str(index), found.label, _score(found)) for index, found in enumerate(self.predictions)]
        return notebook.table(f"{self.task}: {self.model} {self.version}", ("", "label", "score"), rows)


def _score(found: Prediction) -> str:
    """A regression has none."""
    return "" if found.value is not None else f"{found.score:.4f}"
