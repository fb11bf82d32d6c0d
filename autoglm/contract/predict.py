"""`POST /v1/predict`: a declared task over a list of inputs."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from autoglm.contract.base import RequestModel, ResponseModel
from autoglm.contract.usage import Usage


class PredictRequest(RequestModel):
    """Inputs are texts, base64 images or rows of numbers, as the task takes them."""

    task: str = Field(min_length=1)
    inputs: list[Any] = Field(min_length=1)


class Prediction(ResponseModel):
    """One input's answer: the label, its probability, and the probability of every label.

    For tasks of very many labels (ImageNet's 1,000) `scores` holds the most likely ones.
    """

    label: str
    score: float
    scores: dict[str, float] = Field(default_factory=dict)


class PredictResponse(ResponseModel):
    """The answers, in the order of the inputs."""

    task: str
    model: str
    version: str
    predictions: tuple[Prediction, ...]
    usage: Usage = Usage()
