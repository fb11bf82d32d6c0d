"""The arguments of the tools that are the cluster's own: chat, a task's inputs, an instruction."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from autoglm.contract.base import RequestModel
from autoglm.contract.field import Positive
from autoglm.contract.tool import ToolName
from serve_app.http.body import wrong_field

Model = TypeVar("Model", bound=BaseModel)

TEXT = {"type": "string", "minLength": 1}
INPUTS: dict[str, dict[str, Any]] = {
    "image-classification": {"type": "string", "contentEncoding": "base64", "description": "An image's bytes"},
    "tabular-classification": {"type": "array", "items": {"type": "number"}},
    "tabular-regression": {"type": "array", "items": {"type": "number"}},
}


class ChatArguments(RequestModel):
    """One question to a model."""

    prompt: str = Field(min_length=1)
    system: str | None = Field(default=None, description="Instructions that precede it")
    model: str | None = Field(default=None, description="The model; without it, the first")
    max_tokens: Positive | None = Field(default=None, description="The longest answer")
    temperature: float | None = Field(default=None, ge=0, le=2, description="0 is deterministic")


class RunArguments(RequestModel):
    """One instruction."""

    instruction: str = Field(min_length=1, max_length=100_000)
    tools: list[ToolName] | None = Field(
        default=None, max_length=1000, description="The tools that the plan may use; without it, all that you may"
    )


def chat_schema(models: list[str]) -> dict[str, Any]:
    """Of `ChatArguments`, with the names of the models."""
    schema = ChatArguments.model_json_schema()
    schema["properties"]["model"] = {"type": "string", "enum": models, "description": "Without it, the first"}
    return schema


def inputs_schema(task: str | None) -> dict[str, Any]:
    """Of a task's inputs, as its type takes them."""
    inputs = {"type": "array", "items": INPUTS.get(task or "", TEXT), "minItems": 1}
    return {"type": "object", "properties": {"inputs": inputs}, "required": ["inputs"], "additionalProperties": False}


def parsed(model: type[Model], arguments: dict[str, Any]) -> Model:
    """The arguments as `model`.

    Raises:
        BadRequestError: they are not of its form; `param` names the first wrong field.
    """
    try:
        return model.model_validate(arguments, strict=True)
    except ValidationError as error:
        raise wrong_field(error, model) from None
