"""Plans that a model writes: asked for under a schema, read, checked, and repaired with their faults shown."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from autoglm.contract.plan import Plan, Step
from autoglm.contract.task_run import StepRun
from autoglm.errors import UnprocessableEntityError
from deployments.planner.capabilities import Capabilities
from deployments.planner.graph import dependencies
from deployments.planner.planning import prompt
from deployments.planner.planning.choices import Choices
from deployments.planner.planning.config import ModelPlanning
from deployments.planner.planning.fault import Fault, told
from deployments.planner.planning.prompt import Message
from deployments.planner.planning.room import Room
from deployments.planner.planning.schema import plan_schema
from deployments.planner.planning.validation import Validation

NUMBERED = re.compile(r"s[0-9]{1,9}")
MAX_FAULTS = 10  # of one plan that are looked for: a model mends a few at a time


class Drafting:
    """Has one model write plans for one caller."""

    def __init__(self, config: ModelPlanning, model: str, capabilities: Capabilities, validation: Validation) -> None:
        self._config = config
        self._model = model
        self._room = Room.of(config, capabilities.models(), model)
        self._capabilities = capabilities
        self._validation = validation

    async def plan(self, instruction: str, choices: Choices, max_steps: int | None = None) -> Plan:
        """A valid plan.

        Raises:
            UnprocessableEntityError: what the model wrote could not be run after the last repair either.
            APIStatusError: the model cannot be asked.
        """
        messages, shown = self._begun(instruction, choices, self._room.prompt)
        return await self._valid(messages, shown, max_steps=max_steps)

    async def again(
        self,
        instruction: str,
        choices: Choices,
        plan: Plan,
        done: Sequence[StepRun],
        failed: Sequence[StepRun],
        max_steps: int | None = None,
    ) -> Plan:
        """Another plan in place of `plan`; it may name the steps that are done.

        Raises:
            UnprocessableEntityError, APIStatusError: as `plan`.
        """
        half = self._room.prompt // 2
        messages, shown = self._begun(instruction, choices, half)
        first = next_number([*(step.id for step in plan.steps), *(run.id for run in (*done, *failed))])
        messages.append(prompt.replanning(plan, done, failed, first, half))
        known = [step.id for step in done]
        return await self._valid(messages, shown, first=first, known=known, max_steps=max_steps)

    def _begun(self, instruction: str, choices: Choices, max_chars: int) -> tuple[list[Message], Choices]:
        """The prompt, and what it shows: the schema has no more, so that nothing is chosen blindly."""
        asked = instruction[: max_chars // 2]
        around = sum(len(message["content"]) for message in prompt.planning(asked, Choices((), ())))
        shown = choices.within(max_chars - around)
        return prompt.planning(asked, shown), shown

    async def _valid(
        self,
        messages: list[Message],
        choices: Choices,
        *,
        first: int = 1,
        known: Collection[str] = (),
        max_steps: int | None = None,
    ) -> Plan:
        most = min(max_steps or self._room.steps, self._room.steps)
        schema = plan_schema(choices, most, self._room.text, has_results=bool(known))
        asked = messages
        for _ in range(self._config.max_repairs + 1):
            answer = await self._ask(asked, schema)
            plan, faults = read(answer, first)
            if plan is not None:
                faults = self._validation.faults(plan, max_steps=most, known=known)
                if not faults:
                    return without_repeats(plan)
            asked = [*messages, *prompt.repair(answer, told(faults[:MAX_FAULTS]), self._room.repair)]
        raise UnprocessableEntityError(f"the model {self._model!r} made no plan that can be run: {told(faults)}")

    async def _ask(self, messages: list[Message], schema: dict[str, Any]) -> str:
        request = {
            "messages": messages,
            "temperature": 0.0,
            "max_tokens": self._room.max_tokens,
            "structured_outputs": {"json": schema},
        }
        answer = await self._capabilities.call_model(self._model, request, timeout_s=self._config.timeout_s)
        match answer:
            case {"choices": [{"message": {"content": str(content)}}, *_]}:
                return content
        return ""


def read(answer: str, first: int = 1) -> tuple[Plan | None, list[Fault]]:
    """A plan, or what keeps the text from being one; its steps are numbered from `first` on where they have no id."""
    try:
        fields = json.loads(answer)
    except (ValueError, RecursionError) as fault:
        return None, [Fault(None, "plan", f"no JSON, or cut off: {fault}")]
    try:
        return Plan.model_validate(_numbered(fields, first)), []
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        return None, [Fault(None, ".".join(map(str, fault["loc"])), fault["msg"]) for fault in faults[:MAX_FAULTS]]


def without_repeats(plan: Plan) -> Plan:
    """The valid plan without the steps that are an earlier one once more, and that no other waits for.

    A small model writes a step twice, and a call that is made twice by mistake may do harm.
    """
    named = {name for step in plan.steps for name in dependencies(step)}
    kept: dict[str, Step] = {}
    for step in plan.steps:
        call = json.dumps([step.kind, step.name, step.arguments], sort_keys=True)
        kept.setdefault(f"{call} {step.id}" if step.id in named and call in kept else call, step)
    return plan.model_copy(update={"steps": tuple(kept.values())})


def next_number(steps: Iterable[str]) -> int:
    """The first number that is in none of these ids."""
    return 1 + max((int(step[1:]) for step in steps if NUMBERED.fullmatch(step)), default=0)


def _numbered(fields: Any, first: int) -> Any:
    match fields:
        case {"steps": [*steps]}:
            return fields | {"steps": [_with_id(step, number) for number, step in enumerate(steps, first)]}
    return fields


def _with_id(step: Any, number: int) -> Any:
    return {"id": f"s{number}", **step} if isinstance(step, dict) else step
