"""`POST /v1/completions`, in OpenAI's shape."""

from __future__ import annotations

from typing import Annotated, Any

from autoglm.contract.base import ResponseModel
from autoglm.contract.field import Alternatives, Integer, NotEmpty, Positive, Text
from autoglm.contract.generation import GenerationRequest
from autoglm.contract.usage import Usage

Tokens = Annotated[list[Integer], NotEmpty]


class CompletionRequest(GenerationRequest):
    """A text, several, or token ids, to be continued."""

    prompt: Text | Annotated[list[Text], NotEmpty] | Tokens | Annotated[list[Tokens], NotEmpty]
    suffix: str | None = None
    echo: bool | None = None
    best_of: Positive | None = None
    logprobs: Alternatives | None = None
    response_format: dict[str, Any] | None = None


class CompletionChoice(ResponseModel):
    """One of the texts that continue a prompt."""

    index: int = 0
    text: str
    finish_reason: str | None = None


class Completion(ResponseModel):
    """A whole answer; `n` choices for each prompt, in the order of the prompts."""

    id: str = ""
    object: str = "text_completion"
    created: int = 0
    model: str = ""
    choices: list[CompletionChoice]
    usage: Usage | None = None
