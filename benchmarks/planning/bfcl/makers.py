"""Who makes the calls: a model with and without schema and retrieval, or the planner as it is configured."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autoglm.contract.model_list import ModelCard
from autoglm.contract.plan import Plan
from autoglm.contract.task_run import TaskRequest
from autoglm.contract.tool import ToolCard
from autoglm.contract.usage import Usage
from autoglm.errors import NotFoundError, PermissionDeniedError, UnprocessableEntityError
from benchmarks.planning.bfcl.case import Case
from benchmarks.planning.engine import UNASKED, Engine
from deployments.planner.planning import PlanLimits, Planning, prompt
from deployments.planner.planning.choices import Choices
from deployments.planner.planning.config import ModelPlanning
from deployments.planner.planning.drafting import Drafting, read
from deployments.planner.planning.retrieval import ToolIndex
from deployments.planner.planning.room import Room
from deployments.planner.planning.validation import Validation

Maker = Callable[[Case], Awaitable[Plan | None]]  # None: a refusal, or nothing that can be read as a plan


class CaseCapabilities:
    """May use the given tools, which nobody calls, and a chat model where there is an engine."""

    def __init__(self, tools: Sequence[ToolCard], chat: ModelCard, engine: Engine | None) -> None:
        self._tools = tools
        self._chat = chat
        self._engine = engine

    def tools(self) -> Sequence[ToolCard]:
        """The given ones."""
        return self._tools

    def models(self) -> Sequence[ModelCard]:
        """The chat model."""
        return (self._chat,)

    def check(self, name: str, arguments: dict[str, Any] | None = None) -> bool:
        """All are granted."""
        if name not in {card.name for card in self._tools}:
            raise NotFoundError(f"there is no tool {name!r}")
        return False

    def usage(self) -> Usage:
        """The engine counts."""
        return Usage()

    async def call_tool(self, name: str, arguments: dict[str, Any], *, key: str, timeout_s: float) -> Any:
        """Plans are not run."""
        raise NotImplementedError

    async def call_task(self, name: str, inputs: list[Any], *, timeout_s: float) -> list[dict[str, Any]]:
        """Plans are not run."""
        raise NotImplementedError

    async def call_model(self, name: str, request: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """By the engine."""
        if self._engine is None:
            raise UnprocessableEntityError("no engine is given; name one with --model")
        return await self._engine.complete(request)

    def stream_model(self, name: str, request: dict[str, Any], *, timeout_s: float) -> AsyncIterator[str]:
        """Plans are not run."""
        raise NotImplementedError


@dataclass(frozen=True)
class ByModel:
    """One model, asked in three ways; `chat` is its card."""

    engine: Engine
    chat: ModelCard
    config: ModelPlanning

    async def raw(self, case: Case) -> Plan | None:
        """The prompt alone, once; what stands around the first object of the text is no fault."""
        room = Room.of(self.config, [self.chat], self.chat.id)
        choices = Choices(case.tools, [self.chat]).within(room.prompt)
        messages = prompt.planning(case.question, choices)
        answer = await self.engine.complete({"messages": messages, "temperature": 0.0, "max_tokens": room.max_tokens})
        text = answer["choices"][0]["message"]["content"] or ""
        plan, _ = read(text[text.find("{") : text.rfind("}") + 1])
        allowed = {self.chat.id, *(card.name for card in case.tools)}
        return plan if plan is not None and {step.name for step in plan.steps} <= allowed else None

    async def with_schema(self, case: Case) -> Plan | None:
        """Held to the schema, and repaired, as the planner does it."""
        return await self._drafted(case, case.tools)

    def with_retrieval(self, index: ToolIndex, pool: Sequence[ToolCard]) -> Maker:
        """With the case's tools to be found among those of all other cases first."""

        async def make(case: Case) -> Plan | None:
            own = {card.name for card in case.tools}
            every = [*case.tools, *(card for card in pool if card.name not in own)]
            found = index.nearest(case.question, every, self.config.tools)
            return await self._drafted(case, [one.card for one in found])

        return make

    async def _drafted(self, case: Case, tools: Sequence[ToolCard]) -> Plan | None:
        capabilities = CaseCapabilities(tools, self.chat, self.engine)
        drafting = Drafting(self.config, self.chat.id, capabilities, Validation(PlanLimits(), capabilities))
        try:
            return await drafting.plan(case.question, Choices(tools, [self.chat]))
        except UnprocessableEntityError:
            return None


def by_planner(planning: Planning, chat: ModelCard = UNASKED, engine: Engine | None = None) -> Maker:
    """What becomes of a question as a whole: rules, which know none of BFCL's tools, retrieval, the model, or chat."""

    async def make(case: Case) -> Plan | None:
        try:
            capabilities = CaseCapabilities(case.tools, chat, engine)
            return (await planning.plan(TaskRequest(instruction=case.question), capabilities)).plan
        except (UnprocessableEntityError, PermissionDeniedError):
            return None

    return make


def calls(plan: Plan | None) -> list[tuple[str, dict[str, Any]]]:
    """The calls of tools in a plan."""
    return [(step.name, step.arguments) for step in plan.steps if step.kind == "tool"] if plan else []
