"""From an instruction to a valid plan: the caller's own, that of rules, a model's, or a single step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

from autoglm.contract.plan import Plan, Step
from autoglm.contract.task_run import TaskRequest
from autoglm.contract.tool import ToolCard
from autoglm.errors import APIStatusError, PermissionDeniedError, UnprocessableEntityError
from deployments.meaning import Encoder, load_encoder
from deployments.planner.hands import Hands
from deployments.planner.planning.composition import Composition
from deployments.planner.planning.config import PlanningConfig
from deployments.planner.planning.desk import Desk
from deployments.planner.planning.drafting import Choices, Drafting
from deployments.planner.planning.fault import refusal
from deployments.planner.planning.means import chat_model, means_of
from deployments.planner.planning.planned import Planned
from deployments.planner.planning.replanning import Replanning
from deployments.planner.planning.retrieval import ToolIndex
from deployments.planner.planning.rules import TOOLS, Grammar
from deployments.planner.planning.rules.token import escaped
from deployments.planner.planning.validation import Validation

NAMED = 5  # tools in a refusal


def today_in_utc() -> date:
    """The day that `tomorrow` counts from, where nobody says in which zone."""
    return datetime.now(UTC).date()


class Planning:
    """Makes plans for all callers; it keeps nothing of them but the vectors of tools."""

    def __init__(self, config: PlanningConfig, encoder: Encoder, today: Callable[[], date] = today_in_utc) -> None:
        self._config = config
        self._grammar = Grammar.of(today)
        self._index = ToolIndex(encoder)

    @classmethod
    async def of(cls, config: PlanningConfig) -> Planning:
        """Reads the encoder's weights and compiles the grammar, in a thread.

        Raises:
            ConfigError: the encoder's package is not installed.
        """
        return await asyncio.to_thread(lambda: cls(config, load_encoder(config.encoder)))

    async def plan(self, request: TaskRequest, hands: Hands) -> Planned:
        """A valid plan, and who made it.

        Raises:
            PermissionDeniedError: it needs a tool that the caller may not use; the message says which grant is missing.
            UnprocessableEntityError: nothing can do it, or the given plan is faulty; the message has every fault.
            APIStatusError: the model that plans cannot be asked.
        """
        desk = Desk.of(request, hands, self._config.limits)
        if request.plan is not None:
            desk.validation.check(request.plan, max_steps=request.max_steps)
            return Planned(request.plan, "user")
        return await self._understood(desk) or await self._drafted(desk) or await self._chat(desk)

    def replan(self, request: TaskRequest, hands: Hands) -> Replanning | None:
        """How a plan that failed is replaced; None where nobody may: a caller's own plan is not changed, and what rules
        read the first time they read the second time too."""
        model = self._model(hands)
        if (
            request.plan is not None
            or model is None
            or (self._config.model is None and self._config.planner != "model")
        ):
            return None
        drafting = Drafting(self._config.asking, model, hands, Validation(self._config.limits, hands, request.tools))
        return Replanning(request, drafting, lambda: self._choices(Desk.of(request, hands, self._config.limits)))

    def compose(self, hands: Hands) -> Composition:
        """How results are put into words."""
        return Composition(self._config.asking, self._model(hands), hands)

    async def _understood(self, desk: Desk) -> Planned | None:
        """The plan of rules; None where they do not understand the instruction, or know a tool that nobody has."""
        means = means_of(desk.models, self._config.model)
        plan = await asyncio.to_thread(self._grammar.read, desk.request.instruction, means)
        if plan is None or (len(plan.steps) > 1 and self._config.planner == "model"):
            return None
        faults = desk.faults(plan)
        if any(fault.is_unknown for fault in faults):
            return None
        if faults:
            raise refusal(faults)
        return Planned(plan, "direct" if len(plan.steps) == 1 else "rules")

    async def _drafted(self, desk: Desk) -> Planned | None:
        """A model's plan over the tools that fit; None where none fits, or chat can answer what it could not plan."""
        fitting = [card for card in await self._fitting(desk) if self._is_for_model(card)]
        model = self._model(desk.hands)
        if not fitting:
            return None
        if self._config.planner == "rules" or model is None:
            names = ", ".join(card.name for card in fitting[:NAMED])
            raise UnprocessableEntityError(
                f"instruction: rules do not understand it, and no model is there to plan with what may fit ({names}); "
                "declare `planner.planning.model`, or send a `plan`",
                param="instruction",
            )
        drafting = Drafting(self._config.asking, model, desk.hands, desk.validation)
        try:
            plan = await drafting.plan(desk.request.instruction, Choices(fitting, desk.models), desk.request.max_steps)
        except UnprocessableEntityError:
            if self._grammar.asks_for_a_tool(desk.request.instruction):
                raise
            return None
        return None if _is_chat(plan) else Planned(plan, "model")

    async def _chat(self, desk: Desk) -> Planned:
        """One step of the chat model.

        Raises:
            PermissionDeniedError, UnprocessableEntityError: it asks for what language cannot do, or there is no model.
        """
        if await asyncio.to_thread(self._grammar.asks_for_a_tool, desk.request.instruction):
            raise _no_tool(desk.tools)
        model = self._model(desk.hands)
        if model is None:
            raise UnprocessableEntityError(
                "instruction: no tool fits it, and there is no model that you may use to answer it", param="instruction"
            )
        request = {
            "prompt": escaped(desk.request.instruction),
            "temperature": 0.0,
            "max_tokens": self._config.asking.max_tokens,
        }
        step = Step(id="s1", kind="model", name=model, arguments=request)
        plan = Plan(steps=(step,), answer="${s1}")
        desk.validation.check(plan)
        return Planned(plan, "direct")

    async def _fitting(self, desk: Desk) -> list[ToolCard]:
        """The tools that fit the instruction, best first."""
        count, least = self._config.asking.tools, self._config.asking.min_fit
        found = await asyncio.to_thread(self._index.nearest, desk.request.instruction, desk.tools, count)
        return [fitting.card for fitting in found if fitting.fit >= least]

    def _is_for_model(self, card: ToolCard) -> bool:
        """Whether a model is to plan with a tool that rules may know, too."""
        return self._config.model is not None or self._config.planner == "model" or card.name not in TOOLS

    def _choices(self, desk: Desk) -> Choices:
        found = self._index.nearest(desk.request.instruction, desk.tools, self._config.asking.tools)
        return Choices([fitting.card for fitting in found], desk.models)

    def _model(self, hands: Hands) -> str | None:
        return chat_model(hands.models(), self._config.model)


def _is_chat(plan: Plan) -> bool:
    """Whether a model says that no tool is needed."""
    return len(plan.steps) == 1 and plan.steps[0].kind == "model"


def _no_tool(tools: Sequence[ToolCard]) -> APIStatusError:
    if not tools:
        return PermissionDeniedError(
            "instruction: it needs a tool, and none is granted to you; an administrator can grant one",
            param="instruction",
        )
    names = ", ".join(card.name for card in tools[:NAMED])
    more = f" and {len(tools) - NAMED} more" if len(tools) > NAMED else ""
    return UnprocessableEntityError(
        f"instruction: none of the tools that you may use can do this ({names}{more})", param="instruction"
    )
