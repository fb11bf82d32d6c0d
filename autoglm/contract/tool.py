"""`/v1/tools`: what the tools are that a caller may use, and one call of one."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from autoglm.contract.base import RequestModel, ResponseModel

# As the scope `tools:NAME` has it: the source's name, and where a source has many tools a dot and the tool's own.
ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
# How a call is known, so that one that is sent again takes effect once.
IdempotencyKey = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,255}$")]


class ToolCard(ResponseModel):
    """A tool: `parameters` is the JSON Schema of its arguments, an object; `returns` that of its result, where known.

    One that is `idempotent` may be called again after an error whose effect is not known.
    """

    name: str
    description: str = ""
    parameters: dict[str, Any]
    returns: dict[str, Any] | None = None
    source: str = ""
    idempotent: bool = False
    needs_approval: bool = False


class ToolList(ResponseModel):
    """The tools that the caller may use, by name."""

    data: tuple[ToolCard, ...]


class ToolCallRequest(RequestModel):
    """The arguments of one call."""

    arguments: dict[str, Any] = Field(default_factory=dict)


class ToolResult(ResponseModel):
    """What a tool answered; `seconds` is how long it took."""

    tool: str
    result: Any = None
    seconds: float = 0.0
