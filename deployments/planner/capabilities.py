"""What a run can do: the tools, models and tasks that its caller may use, called as the router would."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from autoglm.contract.model_list import ModelCard
from autoglm.contract.tool import ToolCard
from autoglm.contract.usage import Usage


class Capabilities(Protocol):
    """One request's: what its caller may use, less what its `tools` leave out.

    What is not listed cannot be called, and is asked for again at each call: a grant may be revoked.

    Every call raises autoglm.errors.APIStatusError and nothing else, and ends when its task is cancelled.
    """

    def tools(self) -> Sequence[ToolCard]:
        """What the caller may use now, by name."""
        ...

    def models(self) -> Sequence[ModelCard]:
        """The models and tasks that the caller may use now."""
        ...

    def check(self, name: str, arguments: dict[str, Any] | None = None) -> bool:
        """Whether a person must approve the call of a tool; where its arguments are not known, whether one may have to.

        Raises:
            PermissionDeniedError: a grant is missing; the message says which.
            NotFoundError: there is no such tool.
            UnavailableError: it is not known yet whether there is.
        """
        ...

    async def call_tool(self, name: str, arguments: dict[str, Any], *, key: str, timeout_s: float) -> Any:
        """The tool's result, a JSON value. A call of the same `key` takes effect once, however often it is sent."""
        ...

    async def call_task(self, name: str, inputs: list[Any], *, timeout_s: float) -> list[dict[str, Any]]:
        """The predictions of a task, in the order of the inputs."""
        ...

    async def call_model(self, name: str, request: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """A whole chat completion, in OpenAI's shape; `request` has its fields, without the model's name."""
        ...

    def stream_model(self, name: str, request: dict[str, Any], *, timeout_s: float) -> AsyncIterator[str]:
        """The text of a chat completion as it comes."""
        ...

    def usage(self) -> Usage:
        """The tokens that its calls of models and tasks have taken so far."""
        ...
