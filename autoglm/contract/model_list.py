"""`GET /v1/models`: OpenAI's list, with the task and the versions of each model."""

from __future__ import annotations

from typing import Literal

from autoglm.contract.base import ResponseModel


class ModelCard(ResponseModel):
    """One model or task that the cluster serves.

    `max_model_len`, as vLLM's own list has it, are the tokens of a prompt and its answer together, where that is known.
    """

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "open-autoglm"
    task: str | None = None
    versions: tuple[str, ...] = ()
    labels: tuple[str, ...] | None = None
    max_model_len: int | None = None


class ModelList(ResponseModel):
    """All of them, in the order of the file that declared them."""

    object: Literal["list"] = "list"
    data: tuple[ModelCard, ...] = ()
