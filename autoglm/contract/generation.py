"""What chat and completion requests have in common: OpenAI's sampling fields and vLLM's own."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from autoglm.contract.base import RequestModel
from autoglm.contract.field import Integer, Positive, Whole


class StreamOptions(RequestModel):
    """`include_usage` adds a last chunk with the token counts."""

    include_usage: bool | None = None
    continuous_usage_stats: bool | None = None


class GenerationRequest(RequestModel):
    """The router checks these fields and hands the request on as it came; absent ones take the engine's defaults."""

    model: str = Field(min_length=1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    # OpenAI's sampling
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    n: Annotated[int, Field(ge=1, le=128), Whole] | None = None
    max_tokens: Positive | None = None
    stop: str | list[str] | None = None
    seed: Integer | None = None
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    logit_bias: dict[str, float] | None = None
    user: str | None = None
    # vLLM's additions
    top_k: Annotated[int, Field(ge=-1, le=2**31 - 1), Whole] | None = None  # 0 and -1: all
    min_p: float | None = Field(default=None, ge=0, le=1)
    min_tokens: Annotated[int, Field(ge=0), Whole] | None = None
    repetition_penalty: float | None = Field(default=None, gt=0)
    length_penalty: float | None = None
    stop_token_ids: list[Integer] | None = None
    include_stop_str_in_output: bool | None = None
    ignore_eos: bool | None = None
    skip_special_tokens: bool | None = None
    structured_outputs: dict[str, Any] | None = None
    return_token_ids: bool | None = None
    priority: Integer | None = None
