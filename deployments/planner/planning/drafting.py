"""Plans that a model writes: asked for under a schema, read, checked, and repaired with their faults shown."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from autoglm.contract.model_list import ModelCard
from autoglm.contract.plan import Plan
from autoglm.contract.tool import ToolCard
from autoglm.errors import UnprocessableEntityError
from deployments.planner.hands import Hands
from deployments.planner.planning import prompt
from deployments.planner.planning.config import ModelPlanning
from deployments.planner.planning.fault import Fault, told
from deployments.planner.planning.prompt import Message
from deployments.planner.planning.schema import plan_schema
from deployments.planner.planning.validation import Validation

MAX_FAULTS = 10  # of one plan that are looked for: a model mends a few at a time


@dataclass(frozen=True, slots=True)
class Choices:
    """What a model may put into a plan."""

    tools: Sequence[ToolCard]
    models: Sequence[ModelCard]


class Drafting:
    """Has one model write plans for one caller."""

    def __init__(self, config: ModelPlanning, model: str, hands: Hands, validation: Validation) -> None:
        self._config = config
        self._model = model
        self._hands = hands
        self._validation = validation

    async def plan(self, instruction: str, choices: Choices, max_steps: int | None = None) -> Plan:
        """A valid plan.

        Raises:
            UnprocessableEntityError: what the model wrote could not be run after the last repair either.
            APIStatusError: the model cannot be asked.
        """
        return await self._valid(self._messages(instruction, choices), choices, max_steps=max_steps)

    async def again(
        self, instruction: str, choices: Choices, before: Message, known: Collection[str], max_steps: int | None
    ) -> Plan:
        """Another plan after `before` told what became of the first; it may name the steps that are `known`.

        Raises:
            UnprocessableEntityError, APIStatusError: as `plan`.
        """
        messages = [*self._messages(instruction, choices), before]
        return await self._valid(messages, choices, known=known, max_steps=max_steps)

    def _messages(self, instruction: str, choices: Choices) -> list[Message]:
        return prompt.planning(instruction, choices.tools, choices.models, self._config.max_prompt_chars)

    async def _valid(
        self, messages: list[Message], choices: Choices, *, known: Collection[str] = (), max_steps: int | None = None
    ) -> Plan:
        most = min(max_steps or self._config.max_steps, self._config.max_steps)
        schema = plan_schema(choices.tools, choices.models, most)
        asked = messages
        for _ in range(self._config.max_repairs + 1):
            answer = await self._ask(asked, schema)
            plan, faults = read(answer)
            if plan is not None:
                faults = self._validation.faults(plan, max_steps=most, known=known)
                if not faults:
                    return plan
            asked = [*messages, *prompt.repair(answer, told(faults[:MAX_FAULTS]))]
        raise UnprocessableEntityError(f"the model {self._model!r} made no plan that can be run: {told(faults)}")

    async def _ask(self, messages: list[Message], schema: dict[str, Any]) -> str:
        request = {
            "messages": messages,
            "temperature": 0.0,
            "max_tokens": self._config.max_tokens,
            "structured_outputs": {"json": schema},
        }
        answer = await self._hands.call_model(self._model, request, timeout_s=self._config.timeout_s)
        match answer:
            case {"choices": [{"message": {"content": str(content)}}, *_]}:
                return content
        return ""


def read(answer: str) -> tuple[Plan | None, list[Fault]]:
    """A plan, or what keeps the text from being one."""
    try:
        fields = json.loads(answer)
    except (ValueError, RecursionError) as fault:
        return None, [Fault(None, "plan", f"no JSON, or cut off: {fault}")]
    try:
        return Plan.model_validate(fields), []
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        return None, [Fault(None, ".".join(map(str, fault["loc"])), fault["msg"]) for fault in faults[:MAX_FAULTS]]
