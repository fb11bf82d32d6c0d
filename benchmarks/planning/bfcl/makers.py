"""Who makes the calls: a model with and without schema and retrieval, or rules."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autoglm.contract.model_list import ModelCard
from autoglm.contract.plan import Plan
from autoglm.contract.task_run import TaskRequest
from autoglm.contract.tool import ToolCard
from autoglm.contract.usage import Usage
from autoglm.errors import APIStatusError, NotFoundError
from benchmarks.planning.bfcl.case import Case
from benchmarks.planning.bfcl.check import Made
from benchmarks.planning.engine import Engine
from deployments.planner.planning import PlanLimits, Planning, prompt
from deployments.planner.planning.config import ModelPlanning
from deployments.planner.planning.drafting import Choices, Drafting, read
from deployments.planner.planning.retrieval import ToolIndex
from deployments.planner.planning.validation import Validation

CHAT = ModelCard(id="chat", task="text-generation")
Maker = Callable[[Case], Awaitable[list[Made]]]


class CaseHands:
    """May use the given tools, which nobody calls, and a chat model where there is an engine."""

    def __init__(self, tools: Sequence[ToolCard], engine: Engine | None, model: str) -> None:
        self._tools = tools
        self._engine = engine
        self._model = model

    def tools(self) -> Sequence[ToolCard]:
        """The given ones."""
        return self._tools

    def models(self) -> Sequence[ModelCard]:
        """The chat model."""
        return (CHAT,)

    def check(self, name: str, arguments: dict[str, Any] | None = None) -> bool:
        """All are granted."""
        if name not in {card.name for card in self._tools}:
            raise NotFoundError(f"there is no tool {name!r}")
        return False

    def usage(self) -> Usage:
        """Nobody counts."""
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
            raise NotFoundError("no engine is given; name one with --url")
        return await self._engine.complete(self._model, request, timeout_s)

    def stream_model(self, name: str, request: dict[str, Any], *, timeout_s: float) -> AsyncIterator[str]:
        """Plans are not run."""
        raise NotImplementedError


@dataclass(frozen=True)
class ByModel:
    """One model, asked in three ways."""

    engine: Engine
    model: str
    config: ModelPlanning

    async def raw(self, case: Case) -> list[Made]:
        """The prompt alone: the text is read as it comes, once."""
        messages = prompt.planning(case.question, case.tools, [CHAT], self.config.max_prompt_chars)
        request = {"messages": messages, "temperature": 0.0, "max_tokens": self.config.max_tokens}
        answer = await self.engine.complete(self.model, request, self.config.timeout_s)
        plan, _ = read(answer["choices"][0]["message"]["content"] or "")
        return made(plan)

    async def with_schema(self, case: Case) -> list[Made]:
        """Held to the schema, and repaired, as the planner does it."""
        return await self._drafted(case, case.tools)

    def with_retrieval(self, index: ToolIndex, pool: Sequence[ToolCard]) -> Maker:
        """With the case's tools to be found among those of all other cases first."""

        async def make(case: Case) -> list[Made]:
            own = {card.name for card in case.tools}
            every = [*case.tools, *(card for card in pool if card.name not in own)]
            found = index.nearest(case.question, every, self.config.tools)
            return await self._drafted(case, [one.card for one in found])

        return make

    async def _drafted(self, case: Case, tools: Sequence[ToolCard]) -> list[Made]:
        hands = CaseHands(tools, self.engine, self.model)
        drafting = Drafting(self.config, CHAT.id, hands, Validation(PlanLimits(), hands))
        try:
            return made(await drafting.plan(case.question, Choices(tools, [CHAT])))
        except APIStatusError:
            return []


def by_rules(planning: Planning) -> Maker:
    """What rules make of it: they know the embedded tools, and none of BFCL's."""

    async def make(case: Case) -> list[Made]:
        try:
            planned = await planning.plan(TaskRequest(instruction=case.question), CaseHands(case.tools, None, ""))
        except APIStatusError:
            return []
        return made(planned.plan)

    return make


def made(plan: Plan | None) -> list[Made]:
    """The calls of tools in a plan."""
    return [(step.name, step.arguments) for step in plan.steps if step.kind == "tool"] if plan else []
