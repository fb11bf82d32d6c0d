"""A plan as it is being written."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from autoglm.contract.plan import Plan, Step, StepKind
from deployments.planner.graph import dependencies
from deployments.planner.planning.rules.token import Expression

MAX_WHY = 200  # characters of the instruction that a step cites


@dataclass(frozen=True, slots=True)
class ServedNames:
    """What the tasks and models are called that rules can use; None where there is none."""

    sentiment: str | None = None
    iris: str | None = None
    chat: str | None = None


@dataclass(slots=True)
class Draft:
    """Steps in the order in which they were found; one with the same name and arguments is there once."""

    served: ServedNames
    language: str = "en"
    steps: list[Step] = field(default_factory=list)

    def tool(self, tool: str, **arguments: Any) -> str:
        """The id of a step that calls a tool; arguments that are None are left out."""
        return self.step("tool", tool, {key: value for key, value in arguments.items() if value is not None})

    def task(self, task: str, inputs: list[Any]) -> str:
        """The id of a step that has a task predict."""
        return self.step("task", task, {"inputs": inputs})

    def step(self, kind: StepKind, name: str, arguments: dict[str, Any]) -> str:
        """The id of a step of any kind."""
        same = (step.id for step in self.steps if (step.kind, step.name, step.arguments) == (kind, name, arguments))
        if found := next(same, None):
            return found
        step = Step(id=f"s{len(self.steps) + 1}", kind=kind, name=name, arguments=arguments)
        self.steps.append(step)
        return step.id

    def explain(self, begun: int, words: str) -> None:
        """Say of the steps from this place on what in the instruction they are for."""
        explained = [step.model_copy(update={"why": words[:MAX_WHY]}) for step in self.steps[begun:]]
        self.steps[begun:] = explained

    def amount(self, expression: Expression) -> int | float | str:
        """A number as an argument: itself, a reference, or the reference to a step that computes it."""
        literal = expression.literal
        if literal is not None:
            return literal
        if not expression.compound:
            return expression.text
        return f"${{{self.computed(expression)}.value}}"

    def computed(self, expression: Expression) -> str:
        """The id of the step that computes an expression."""
        return self.tool("calculate", expression=expression.text)

    def said(self, english: str, chinese: str) -> str:
        """The text in the instruction's language."""
        return chinese if self.language == "zh" else english

    def plan(self, answer: str, needed: Iterable[str]) -> Plan:
        """The steps that the answer needs."""
        kept = self._closure(needed)
        return Plan(steps=tuple(step for step in self.steps if step.id in kept), answer=answer)

    def _closure(self, needed: Iterable[str]) -> Collection[str]:
        by_id = {step.id: step for step in self.steps}
        kept, waiting = set(), list(needed)
        while waiting:
            one = waiting.pop()
            if one not in kept:
                kept.add(one)
                waiting += dependencies(by_id[one])
        return kept
