"""What the MCP server needs of the cluster: one caller's view of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from starlette.requests import Request

from autoglm.contract.chat import ChatRequest
from autoglm.contract.model_list import ModelCard
from autoglm.contract.predict import PredictRequest
from autoglm.contract.scope import Scope
from autoglm.contract.task_run import TaskRequest, TaskRun
from autoglm.contract.tool import ToolCard


class Surface(Protocol):
    """What one caller may do, in one request, under its own credential, quota and deadline.

    Each call raises autoglm.errors.APIStatusError, whatever was listed before, and ends when its task is cancelled.
    """

    def tools(self) -> Sequence[ToolCard]:
        """The tools that the caller may use, by name."""
        ...

    def models(self) -> Sequence[ModelCard]:
        """The models and tasks that the caller may use."""
        ...

    def allows(self, scope: Scope) -> bool:
        """Whether the credential has the scope."""
        ...

    async def call_tool(self, name: str, arguments: dict[str, Any], *, key: str | None) -> Any:
        """The tool's result, a JSON value. A call of the same `key` takes effect once."""
        ...

    async def predict(self, request: PredictRequest) -> Mapping[str, Any]:
        """The answer of `POST /v1/predict`."""
        ...

    async def chat(self, request: ChatRequest) -> Mapping[str, Any]:
        """The whole answer of `POST /v1/chat/completions`."""
        ...

    async def run(self, request: TaskRequest) -> TaskRun:
        """The run as it ended, or as it waits for an approval."""
        ...


SurfaceOf = Callable[[Request], Surface]
