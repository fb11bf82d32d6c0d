"""What a model may put into a plan, as its prompt lists it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from autoglm.contract.model_list import ModelCard
from autoglm.contract.tool import ToolCard
from deployments.planner.planning.served import KINDS

MAX_DESCRIPTION = 400  # characters of a tool's; what comes after is rarely about what it does
WORDS = frozenset({"type", "description", "enum", "default", "title"})  # of a schema that can be said in words

Card = TypeVar("Card", ToolCard, ModelCard)


@dataclass(frozen=True, slots=True)
class Choices:
    """Tools, the nearest first, and models and tasks; `str()` of it has a line of JSON for each."""

    tools: Sequence[ToolCard]
    models: Sequence[ModelCard]

    def within(self, max_chars: int) -> Choices:
        """Those that fit: models and tasks in half of the room, then tools, of which one is shown in any case."""
        models = _first([card for card in self.models if card.task in KINDS], _served, max_chars // 2)
        left = max_chars - sum(len(_served(card)) + 1 for card in models)
        return Choices(_first(self.tools, _tool, left) or self.tools[:1], models)

    def __str__(self) -> str:
        return "\n".join([*map(_served, self.models), *map(_tool, self.tools)])


def _first(cards: Sequence[Card], line: Callable[[Card], str], max_chars: int) -> list[Card]:
    """The first whose lines are not longer together."""
    fitting: list[Card] = []
    for card in cards:
        max_chars -= len(line(card)) + 1
        if max_chars < 0:
            break
        fitting.append(card)
    return fitting


def _tool(card: ToolCard) -> str:
    """With its parameters in words: their schema is what the answer is held to, and need not be read twice."""
    properties = card.parameters.get("properties", {})
    said = {
        "kind": "tool",
        "name": card.name,
        "description": card.description[:MAX_DESCRIPTION],
        "parameters": {name: _in_words(schema) for name, schema in properties.items()},
        "required": card.parameters.get("required"),
        "returns": list((card.returns or {}).get("properties", {})),
    }
    return _line(said)


def _served(card: ModelCard) -> str:
    return _line({"kind": KINDS[card.task or ""], "name": card.id, "task": card.task, "labels": card.labels})


def _in_words(schema: Any) -> Any:
    """`integer: How many.` of a plain value, or of a list of plain values; any other schema as it is."""
    kind = _kind(schema)
    if kind is None:
        return schema
    values = f" of {json.dumps(schema['enum'], ensure_ascii=False)}" if "enum" in schema else ""
    return f"{kind}{values}: {schema.get('description', '')}".removesuffix(": ")


def _kind(schema: Any) -> str | None:
    if not isinstance(schema, Mapping) or not isinstance(schema.get("type"), str):
        return None
    if schema.keys() <= WORDS:
        return str(schema["type"])
    item = _kind(schema.get("items")) if schema.keys() <= WORDS | {"items"} else None
    return f"array of {item}" if item is not None and "enum" not in schema["items"] else None


def _line(said: Mapping[str, Any]) -> str:
    """What is empty is left out."""
    told = {name: value for name, value in said.items() if value}
    return json.dumps(told, ensure_ascii=False).replace("<", "\\u003c")
