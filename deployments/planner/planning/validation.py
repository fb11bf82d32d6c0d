"""Whether a plan may be run: known names, fitting arguments, results that will be there, grants, size and cost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from autoglm.contract.plan import Fallback, Plan, Step
from autoglm.contract.tool import ToolCard
from autoglm.errors import APIStatusError, BadRequestError, NotFoundError, PermissionDeniedError, UnavailableError
from deployments.json_value import NotJsonError
from deployments.planner.capabilities import Capabilities
from deployments.planner.graph import PLAN, Graph, dependencies
from deployments.planner.planning.arguments import Parameters, has_references, missing_field
from deployments.planner.planning.config import PlanLimits
from deployments.planner.planning.fault import Fault, refusal
from deployments.planner.planning.served import KINDS
from deployments.planner.references import Reference, references
from deployments.planner.size import size

MAX_REFERENCES = 10_000  # of a plan: each is read several times, and takes some microseconds


class Validation:
    """For one caller's capabilities.

    What is listed is read once: a plan is judged by one state of the cluster. Grants are asked for at each call again.
    """

    def __init__(self, limits: PlanLimits, capabilities: Capabilities) -> None:
        self._limits = limits
        self._capabilities = capabilities
        self._tools = {card.name: card for card in capabilities.tools()}
        self._models = {card.id: card for card in capabilities.models()}

    def check(self, plan: Plan, *, max_steps: int | None = None, known: Collection[str] = ()) -> None:
        """Whether it may be run. `known` are steps that ended before, which it may name.

        Raises:
            PermissionDeniedError: a grant is missing.
            UnprocessableEntityError: anything else; the message has every fault with its step and field.
            UnavailableError: it is not known yet what tools there are.
        """
        if faults := self.faults(plan, max_steps=max_steps, known=known):
            raise refusal(faults)

    def faults(self, plan: Plan, *, max_steps: int | None = None, known: Collection[str] = ()) -> list[Fault]:
        """All that is wrong with it; only its size where that is wrong, since the rest takes time with it.

        Raises:
            UnavailableError: it is not known yet what tools there are.
        """
        if found := list(self._size(plan, max_steps)):
            return found
        unreadable = {step.id: fault for step in plan.steps if (fault := _unreadable(step)) is not None}
        steps = {step.id: step for step in plan.steps if step.id not in unreadable}
        return [
            *_ids(plan),
            *(unreadable.values() or _order(plan, known)),
            *(fault for step in steps.values() for fault in self._step(step, steps)),
        ]

    def _size(self, plan: Plan, max_steps: int | None) -> Iterator[Fault]:
        most = min(max_steps or self._limits.max_steps, self._limits.max_steps)
        if len(plan.steps) > most:
            yield Fault(None, "steps", f"got {len(plan.steps)}, at most {most} may be run")
        models = sum(step.kind == "model" for step in plan.steps)
        if models > self._limits.max_model_steps:
            yield Fault(None, "steps", f"{models} call a model, at most {self._limits.max_model_steps} may")
        fields = plan.model_dump(mode="json")
        try:
            is_large = size(fields, self._limits.max_bytes) > self._limits.max_bytes
        except NotJsonError as fault:
            yield Fault(None, "steps", f"they hold {fault}, and JSON does not")
            return
        if is_large:
            yield Fault(None, "steps", f"the plan has more than {self._limits.max_bytes:,} bytes")
        elif (count := json.dumps(fields).count("${")) > MAX_REFERENCES:
            yield Fault(None, "steps", f"they hold {count:,} references, at most {MAX_REFERENCES:,} are followed")

    def _step(self, step: Step, steps: Mapping[str, Step]) -> Iterator[Fault]:
        for field, target in (("name", step), ("fallback.name", step.fallback)):
            if target is not None:
                yield from self._target(step.id, field, target)
        yield from self._results(step, steps)

    def _target(self, step: str, field: str, target: Step | Fallback) -> Iterator[Fault]:
        """What is called, and with what."""
        prefix = field.removesuffix("name")
        if target.kind == "tool":
            yield from self._tool(step, prefix, target)
        elif target.kind != "approval":
            yield from self._served(step, prefix, target)

    def _tool(self, step: str, prefix: str, target: Step | Fallback) -> Iterator[Fault]:
        try:
            self._capabilities.check(target.name, None if has_references(target.arguments) else target.arguments)
        except UnavailableError:
            raise  # no fault of the plan: who could tell whether the tool is there is being started
        except APIStatusError as error:
            yield Fault(
                step,
                f"{prefix}name",
                error.message,
                is_denied=isinstance(error, PermissionDeniedError),
                is_unknown=isinstance(error, NotFoundError),
            )
            return
        card = self._tools.get(target.name)
        if card is not None:
            yield from _arguments(step, prefix, card, target.arguments)

    def _served(self, step: str, prefix: str, target: Step | Fallback) -> Iterator[Fault]:
        """A model or a task: whether it is there, does what the step is for, and gets what it takes."""
        card = self._models.get(target.name)
        if card is None or KINDS.get(card.task or "") != target.kind:
            served = [name for name, one in self._models.items() if KINDS.get(one.task or "") == target.kind]
            there = f"there is {', '.join(map(repr, served))}" if served else "there is none"
            yield Fault(step, f"{prefix}name", f"{target.name!r} is no {target.kind} that you may use; {there}")
        wanted = ({"inputs"},) if target.kind == "task" else ({"messages"}, {"prompt"})
        if not any(len(target.arguments.keys() & fields) == 1 for fields in wanted):
            names = " or ".join(f"`{name}`" for fields in wanted for name in fields)
            yield Fault(step, f"{prefix}arguments", f"got {sorted(target.arguments)}; a {target.kind} takes {names}")

    def _results(self, step: Step, steps: Mapping[str, Step]) -> Iterator[Fault]:
        """Whether the results that a step refers to can have what it asks for."""
        for reference in references(step.arguments):
            if wrong := self._missing(reference, steps.get(reference.step)):
                yield Fault(step.id, "arguments", f"{reference}: the result has no {wrong}")

    def _missing(self, reference: Reference, before: Step | None) -> str | None:
        card = self._tools.get(before.name) if before is not None and before.kind == "tool" else None
        return missing_field(card.returns, reference) if card is not None else None


def _ids(plan: Plan) -> Iterator[Fault]:
    counts = Counter(step.id for step in plan.steps)
    if PLAN in counts:
        yield Fault(PLAN, "id", "is kept for the approval of the plan itself; take another")
    yield from (Fault(one, "id", "stands twice; give each its own") for one, count in counts.items() if count > 1)


def _order(plan: Plan, known: Collection[str]) -> Iterator[Fault]:
    """Whether steps that can be read can be put in an order: they name each other, and go in no circle."""
    graph = Graph(plan.steps)
    there = {*graph.dependencies, *known}
    for step, waits in graph.dependencies.items():
        if missing := waits - there:
            yield Fault(step, "arguments", f"names {sorted(missing)}, and there is no such step")
    if circle := graph.cycle():
        yield Fault(circle[0], "arguments", f"steps wait for each other: {' -> '.join(circle)}; break the circle")
    yield from _answer(plan, there)


def _arguments(step: str, prefix: str, card: ToolCard, arguments: dict[str, Any]) -> Iterator[Fault]:
    try:
        parameters = Parameters(card.parameters)
    except ValueError as error:
        yield Fault(step, f"{prefix}name", f"the schema of {card.name!r} cannot be read: {error}")
        return
    yield from (Fault(step, f"{prefix}{field}", message) for field, message in parameters.faults(arguments))


def _unreadable(step: Step) -> Fault | None:
    """The fault of a step whose references are malformed."""
    try:
        dependencies(step)
    except BadRequestError as error:
        return Fault(step.id, "arguments", error.message)
    return None


def _answer(plan: Plan, ids: Collection[str]) -> Sequence[Fault]:
    try:
        missing = {reference.step for reference in references(plan.answer)}.difference(ids)
    except BadRequestError as error:
        return [Fault(None, "answer", error.message)]
    return [Fault(None, "answer", f"names {sorted(missing)}, and there is no such step")] if missing else []
