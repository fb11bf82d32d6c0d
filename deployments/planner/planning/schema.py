"""The JSON Schema that holds a model to plans of exactly the tools, tasks and models that a caller may use."""

from __future__ import annotations

from typing import Any

from autoglm.contract.model_list import ModelCard
from deployments.planner.planning.choices import Choices
from deployments.planner.planning.served import KINDS

# Engines take a class such as [^}] for any character, and so for a quote that ends the text too early.
REFERENCE = {"type": "string", "pattern": r"^\$\{s[0-9]{1,3}[A-Za-z0-9_.\[\]-]{0,60}\}$"}
WHY = {"type": "string", "maxLength": 120}
MAX_ITEMS = 32  # of a list that says nothing of its length
HAS_END = frozenset({"enum", "const", "pattern", "format", "maxLength"})  # a pattern beside a length no engine can do
VALUES = frozenset({"enum", "const", "default", "examples"})  # of a schema that are no schemas

Schema = dict[str, Any]


def plan_schema(choices: Choices, max_steps: int, max_text: int, *, has_results: bool = False) -> Schema:
    """Of a plan's JSON; each step is one of the choices, with arguments of that choice's own schema, and no id.

    Every text has at most `max_text` characters and every list an end, where the tool's schema names none: a small
    model at temperature 0 repeats itself otherwise until it is cut off. The first step refers to nothing, unless there
    are results of an earlier plan.

    `why` stands before the name: a model that says first what a step is for chooses better (Wei et al.,
    Chain-of-Thought Prompting Elicits Reasoning, 2022), and it is held to the order of the properties.
    """
    later = {"anyOf": _steps(choices, max_text, may_refer=True)}
    first = later if has_results else {"anyOf": _steps(choices, max_text, may_refer=False)}
    steps = {"type": "array", "prefixItems": [first], "items": later, "minItems": 1, "maxItems": max_steps}
    return _object(steps=steps)


def arguments_schema(parameters: Schema, max_text: int, *, may_refer: bool) -> Schema:
    """A tool's own with an end to everything, where each argument may be a reference instead if it may refer.

    One with definitions is not taken over: what it refers to would lie elsewhere. Then validation alone checks.
    """
    properties = parameters.get("properties")
    if not isinstance(properties, dict) or "$ref" in repr(parameters):
        return {"type": "object"}
    bounded = {name: _bounded(schema, max_text) for name, schema in properties.items()}
    return {
        "type": "object",
        "properties": {name: {"anyOf": [schema, REFERENCE]} for name, schema in bounded.items()}
        if may_refer
        else bounded,
        "required": list(parameters.get("required", ())),
        "additionalProperties": False,
    }


def _steps(choices: Choices, max_text: int, *, may_refer: bool) -> list[Schema]:
    inputs = {"type": "array", "maxItems": MAX_ITEMS}
    prompt = {"type": "string", "maxLength": max_text}
    return [
        *(
            _step("tool", card.name, arguments_schema(card.parameters, max_text, may_refer=may_refer))
            for card in choices.tools
        ),
        *(_step("task", card.id, _object(inputs=inputs)) for card in choices.models if _is(card, "task")),
        *(_step("model", card.id, _object(prompt=prompt)) for card in choices.models if _is(card, "model")),
    ]


def _bounded(schema: Any, max_text: int) -> Any:
    if isinstance(schema, list):
        return [_bounded(one, max_text) for one in schema]
    if not isinstance(schema, dict):
        return schema
    bounded = {name: value if name in VALUES else _bounded(value, max_text) for name, value in schema.items()}
    if bounded.get("type") == "string" and not bounded.keys() & HAS_END:
        bounded["maxLength"] = max(max_text, bounded.get("minLength", 0))
    if bounded.get("type") == "array" and "maxItems" not in bounded:
        bounded["maxItems"] = max(MAX_ITEMS, bounded.get("minItems", 0))
    return bounded


def _step(kind: str, name: str, arguments: Schema) -> Schema:
    return _object(why=WHY, kind={"const": kind}, name={"const": name}, arguments=arguments)


def _object(**properties: Any) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _is(card: ModelCard, kind: str) -> bool:
    return KINDS.get(card.task or "") == kind
