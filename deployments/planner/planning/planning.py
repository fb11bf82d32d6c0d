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
from deployments.planner.capabilities import Capabilities
from deployments.planner.planning.choices import Choices
from deployments.planner.planning.composition import Composition
from deployments.planner.planning.config import PlanningConfig
from deployments.planner.planning.context import PlanningContext
from deployments.planner.planning.drafting import Drafting
from deployments.planner.planning.fault import refusal
from deployments.planner.planning.planned import Planned
from deployments.planner.planning.replanning import Replanning
from deployments.planner.planning.retrieval import Fitting, ToolIndex
from deployments.planner.planning.room import Room
from deployments.planner.planning.rules import TOOLS, Grammar
from deployments.planner.planning.rules.token import escaped
from deployments.planner.planning.served import chat_model, served_names
from deployments.planner.planning.validation import Validation
from deployments.planner.scanning import Scan, load_scan

NAMED = 5  # tools in a refusal


def today_in_utc() -> date:
    """The day that `tomorrow` counts from, where nobody says in which zone."""
    return datetime.now(UTC).date()


class Planning:
    """Makes plans for all callers; it keeps nothing of them but the vectors of tools."""

    def __init__(
        self,
        config: PlanningConfig,
        encoder: Encoder,
        today: Callable[[], date] = today_in_utc,
        scan: Scan | None = None,
    ) -> None:
        self.scan = scan
        self._config = config
        self._grammar = Grammar.of(today)
        self._index = ToolIndex(encoder)

    @classmethod
    async def of(cls, config: PlanningConfig) -> Planning:
        """Reads the weights of encoder and scanner and compiles the grammar, in a thread.

        Raises:
            ConfigError: a package is not installed.
        """

        def made() -> Planning:
            return cls(config, load_encoder(config.encoder), scan=load_scan(config.scanner))

        return await asyncio.to_thread(made)

    async def plan(self, request: TaskRequest, capabilities: Capabilities) -> Planned:
        """A valid plan, and who made it.

        Raises:
            PermissionDeniedError: it needs a tool that the caller may not use; the message says which grant is missing.
            UnprocessableEntityError: nothing can do it, or the given plan is faulty; the message has every fault.
            APIStatusError: the model that plans cannot be asked.
        """
        context = PlanningContext.of(request, capabilities, self._config.limits)
        if request.plan is not None:
            context.validation.check(request.plan, max_steps=request.max_steps)
            return Planned(request.plan, "user")
        read = await self._read(context)
        if read is not None and (len(read.steps) == 1 or self._config.planner != "model"):
            return Planned(read, "direct" if len(read.steps) == 1 else "rules")
        return await self._drafted(context, is_composed=read is not None) or await self._chat(context)

    def replan(self, request: TaskRequest, capabilities: Capabilities) -> Replanning | None:
        """How a plan that failed is replaced; None where it may not be.

        A caller's own plan and one that a person approved are not changed, and what rules read the first time they read
        the second time too.
        """
        model = self._model(capabilities)
        if request.plan is not None or request.approve or model is None or not self._is_model_declared:
            return None
        drafting = Drafting(self._config.asking, model, capabilities, Validation(self._config.limits, capabilities))
        return Replanning(request, drafting, lambda: self._choices(request, capabilities))

    def compose(self, capabilities: Capabilities) -> Composition:
        """How results are put into words."""
        return Composition(self._config.asking, self._model(capabilities), capabilities)

    async def _read(self, context: PlanningContext) -> Plan | None:
        """The plan of rules; None where they do not understand the instruction, or know a tool that nobody has.

        Raises:
            PermissionDeniedError, UnprocessableEntityError: the caller may not run it.
        """
        served = served_names(context.models, self._config.model)
        plan = await asyncio.to_thread(self._grammar.read, context.request.instruction, served)
        faults = context.faults(plan) if plan is not None else []
        if any(fault.is_unknown for fault in faults):
            return None
        if faults:
            raise refusal(faults)
        return plan

    async def _drafted(self, context: PlanningContext, *, is_composed: bool) -> Planned | None:
        """A model's plan; None where no tool fits, or chat can answer what the model could not plan.

        Of an instruction that is composed of several each tool alone fits less: that one is planned in any case, and
        the model is shown the nearest tools however little they fit.
        """
        nearest = await asyncio.to_thread(self._nearest, context)
        fitting = [one.card.name for one in nearest if self._is_for_model(one)]
        if not fitting and not is_composed:
            return None
        model = self._model(context.capabilities)
        if self._config.planner == "rules" or model is None:
            raise _no_planner(fitting)
        drafting = Drafting(self._config.asking, model, context.capabilities, context.validation)
        choices = Choices([one.card for one in nearest], context.models)
        try:
            plan = await drafting.plan(context.request.instruction, choices, context.request.max_steps)
        except UnprocessableEntityError:
            if self._grammar.asks_for_a_tool(context.request.instruction):
                raise
            return None
        return None if _is_chat(plan) else Planned(plan, "model")

    async def _chat(self, context: PlanningContext) -> Planned:
        """One step of the chat model.

        Raises:
            PermissionDeniedError, UnprocessableEntityError: it asks for what language cannot do, or there is no model.
        """
        if await asyncio.to_thread(self._grammar.asks_for_a_tool, context.request.instruction):
            raise _no_tool(context.tools)
        model = self._model(context.capabilities)
        if model is None:
            raise UnprocessableEntityError(
                "instruction: no tool fits it, and there is no model that you may use to answer it", param="instruction"
            )
        request = {
            "prompt": escaped(context.request.instruction),
            "temperature": 0.0,
            "max_tokens": Room.of(self._config.asking, context.models, model).max_tokens,
        }
        step = Step(id="s1", kind="model", name=model, arguments=request)
        plan = Plan(steps=(step,), answer="${s1}")
        context.validation.check(plan)
        return Planned(plan, "direct")

    def _nearest(self, context: PlanningContext) -> list[Fitting]:
        """The tools nearest to the instruction, best first."""
        return self._index.nearest(context.request.instruction, context.tools, self._config.asking.tools)

    def _is_for_model(self, one: Fitting) -> bool:
        """Whether a tool fits, and is not one that rules know already and a model would only know less well."""
        is_models = self._is_model_declared or one.card.name not in TOOLS
        return is_models and one.fit >= self._config.asking.min_fit

    @property
    def _is_model_declared(self) -> bool:
        """Whether the file says that a model is to plan, so that it is more than the first one there is."""
        return self._config.model is not None or self._config.planner == "model"

    def _choices(self, request: TaskRequest, capabilities: Capabilities) -> Choices:
        context = PlanningContext.of(request, capabilities, self._config.limits)
        return Choices([one.card for one in self._nearest(context)], context.models)

    def _model(self, capabilities: Capabilities) -> str | None:
        return chat_model(capabilities.models(), self._config.model)


def _is_chat(plan: Plan) -> bool:
    """Whether a model says that no tool is needed."""
    return len(plan.steps) == 1 and plan.steps[0].kind == "model"


def _no_planner(fitting: Sequence[str]) -> UnprocessableEntityError:
    names = ", ".join(fitting[:NAMED])
    return UnprocessableEntityError(
        f"instruction: rules do not understand it, and no model is there to plan with what may fit ({names}); "
        "declare `planner.planning.model`, or send a `plan`",
        param="instruction",
    )


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
