"""The JSON Schema that holds a model to plans of exactly the tools, tasks and models that a caller may use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autoglm.contract.model_list import ModelCard
from autoglm.contract.tool import ToolCard
from deployments.planner.planning.means import KINDS

REFERENCE = {"type": "string", "pattern": r"^\$\{s[0-9]+[^{}]*\}$"}
STEP_ID = {"type": "string", "pattern": "^s[0-9]{1,3}$"}
WHY = {"type": "string", "maxLength": 200}


def plan_schema(tools: Sequence[ToolCard], models: Sequence[ModelCard], max_steps: int) -> dict[str, Any]:
    """Of a plan's JSON; each step is one of the choices, with arguments of that choice's own schema.

    `why` stands before the name: a model that says first what a step is for chooses better (Wei et al.,
    Chain-of-Thought Prompting Elicits Reasoning, 2022), and it is held to the order of the properties.
    """
    choices = [
        *(_step("tool", card.name, arguments_schema(card.parameters)) for card in tools),
        *(_step("task", card.id, _object(inputs={"type": "array"})) for card in models if _is(card, "task")),
        *(_step("model", card.id, _object(prompt={"type": "string"})) for card in models if _is(card, "model")),
    ]
    steps = {"type": "array", "items": {"anyOf": choices}, "minItems": 1, "maxItems": max_steps}
    return _object(steps=steps)


def arguments_schema(parameters: dict[str, Any]) -> dict[str, Any]:
    """A tool's own, where each argument may be a reference instead.

    One with definitions is not taken over: what it refers to would lie elsewhere. Then validation alone checks.
    """
    properties = parameters.get("properties")
    if not isinstance(properties, dict) or "$ref" in repr(parameters):
        return {"type": "object"}
    return {
        "type": "object",
        "properties": {name: {"anyOf": [schema, REFERENCE]} for name, schema in properties.items()},
        "required": list(parameters.get("required", ())),
        "additionalProperties": False,
    }


def _step(kind: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return _object(id=STEP_ID, why=WHY, kind={"const": kind}, name={"const": name}, arguments=arguments)


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _is(card: ModelCard, kind: str) -> bool:
    return KINDS.get(card.task or "") == kind
