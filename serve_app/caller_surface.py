"""What one caller may do by MCP: what it may do by the other paths, with the same admission and the same meter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from autoglm.contract import ChatRequest, ModelCard, ModelList, PredictRequest
from autoglm.contract.scope import Scope
from autoglm.contract.task_run import TaskRequest, TaskRun
from autoglm.contract.tool import ToolCard
from deployments.access import Principal
from deployments.router import Router
from serve_app.delegation import Delegation
from serve_app.http.admission import RUN, TOOL_CALL, Admission, caller_of
from serve_app.http.idempotency import own_key
from serve_app.http.tasks import Runs, last_of, with_deadline
from serve_app.http.tools import Tools


@dataclass(frozen=True, slots=True)
class Services:
    """What a router replica does for all callers."""

    router: Router
    admission: Admission
    delegation: Delegation
    runs: Runs
    tools: Tools


@dataclass(frozen=True, slots=True)
class CallerSurface:
    """Implements `serve_app.mcp.Surface`. A request of MCP names no deadline, and gets the server's longest."""

    caller: Principal
    services: Services

    def tools(self) -> Sequence[ToolCard]:
        """As `GET /v1/tools`."""
        return self.services.tools.visible(self.caller)

    def models(self) -> Sequence[ModelCard]:
        """As `GET /v1/models`."""
        cards = ModelList.model_validate(self.services.router.models()).data
        return [card for card in cards if self.caller.may_use(card.id)]

    def allows(self, scope: Scope) -> bool:
        """Whether the credential has the scope."""
        return self.caller.allows(scope)

    async def call_tool(self, name: str, arguments: dict[str, Any], *, key: str | None) -> Any:
        """As `POST /v1/tools/{name}`."""
        timeout_s, own = self._longest_s(), own_key(self.caller, key)
        with await self.services.admission.admit_request(self.caller, TOOL_CALL):
            return await self.services.tools.call(self.caller, name, arguments, key=own, timeout_s=timeout_s)

    async def predict(self, request: PredictRequest) -> Mapping[str, Any]:
        """As `POST /v1/predict`."""
        return await self.services.delegation.predict(self.caller, request.task, request.inputs, self._longest_s())

    async def chat(self, request: ChatRequest) -> Mapping[str, Any]:
        """As `POST /v1/chat/completions`."""
        fields = request.model_dump(mode="json", exclude_none=True)
        return await self.services.delegation.chat(self.caller, fields, self._longest_s())

    async def run(self, request: TaskRequest) -> TaskRun:
        """As `POST /v1/tasks`."""
        with await self.services.admission.admit_request(self.caller, RUN):
            return await last_of(self.services.runs.run(with_deadline(request, self._longest_s()), self.caller))

    def _longest_s(self) -> float:
        return self.services.router.limits.request_timeout_s


def surface_of(services: Services) -> Callable[[Request], CallerSurface]:
    """Makes the surface of each request's caller."""
    return lambda request: CallerSurface(caller_of(request), services)
