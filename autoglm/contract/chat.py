"""`POST /v1/chat/completions`, in OpenAI's shape."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from autoglm.contract import notebook
from autoglm.contract.base import RequestModel, ResponseModel
from autoglm.contract.field import Alternatives, Positive
from autoglm.contract.generation import GenerationRequest
from autoglm.contract.usage import Usage


class ChatMessage(RequestModel):
    """One turn. Content parts and tool calls are checked by the engine, which knows the model."""

    # The message of an answer may be sent back as it came, with fields of the engine's own.
    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, Any]] | None = None


class ChatRequest(GenerationRequest):
    """A conversation to be continued."""

    messages: list[ChatMessage] = Field(min_length=1)
    max_completion_tokens: Positive | None = None
    logprobs: bool | None = None
    top_logprobs: Alternatives | None = None
    response_format: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = Field(default=None, min_length=1)
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    reasoning_effort: str | None = None
    service_tier: str | None = None
    # vLLM's additions
    chat_template_kwargs: dict[str, Any] | None = None
    add_generation_prompt: bool | None = None
    continue_final_message: bool | None = None


class AnswerMessage(ResponseModel):
    """What the model said: text, or calls of tools."""

    role: str = "assistant"
    content: str | None = None
    tool_calls: list[dict[str, Any]] | None = None


class ChatChoice(ResponseModel):
    """One of the `n` answers."""

    index: int = 0
    message: AnswerMessage
    finish_reason: str | None = None


class ChatCompletion(ResponseModel):
    """A whole answer; `str()` of it is the text."""

    id: str = ""
    object: str = "chat.completion"
    created: int = 0
    model: str = ""
    choices: list[ChatChoice]
    usage: Usage | None = None

    @property
    def text(self) -> str:
        """The first choice's text, empty where it called tools instead."""
        return (self.choices[0].message.content or "") if self.choices else ""

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return notebook.text(self.model, self.text)


class Delta(ResponseModel):
    """What a chunk adds."""

    role: str | None = None
    content: str | None = None
    tool_calls: list[dict[str, Any]] | None = None


class ChunkChoice(ResponseModel):
    """One choice's part of a chunk."""

    index: int = 0
    delta: Delta = Delta()
    finish_reason: str | None = None


class ChatChunk(ResponseModel):
    """One event of a stream; `str()` of it is the text that it adds."""

    id: str = ""
    object: str = "chat.completion.chunk"
    created: int = 0
    model: str = ""
    choices: list[ChunkChoice] = Field(default_factory=list)
    usage: Usage | None = None

    @property
    def text(self) -> str:
        """The first choice's added text."""
        return (self.choices[0].delta.content or "") if self.choices else ""

    def __str__(self) -> str:
        return self.text
