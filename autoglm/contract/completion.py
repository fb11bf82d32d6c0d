"""`POST /v1/completions`, in OpenAI's shape."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from autoglm.contract.generation import GenerationRequest


class CompletionRequest(GenerationRequest):
    """A text, several, or token ids, to be continued."""

    prompt: str | list[str] | list[int] | list[list[int]]
    suffix: str | None = None
    echo: bool | None = None
    best_of: int | None = Field(default=None, ge=1)
    logprobs: int | None = Field(default=None, ge=0, le=20)
    response_format: dict[str, Any] | None = None
