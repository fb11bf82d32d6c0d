"""Questions, the functions that may answer them, and the calls that do."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from autoglm.contract.tool import ToolCard

Category = Literal["simple_python", "multiple", "parallel", "irrelevance"]
CATEGORIES: tuple[Category, ...] = ("simple_python", "multiple", "parallel", "irrelevance")
TYPES = {"dict": "object", "float": "number", "tuple": "array"}  # which JSON Schema calls otherwise

# By each parameter's name the values that are right; an empty text among them says that it may be left out.
Call = dict[str, dict[str, list[Any]]]


@dataclass(frozen=True)
class Case:
    """One question; of `irrelevance` no call is right."""

    id: str
    category: Category
    question: str
    tools: tuple[ToolCard, ...]
    gold: tuple[Call, ...] = ()


class Archive:
    """The wheel of bfcl-eval."""

    def __init__(self, wheel: Path) -> None:
        self._wheel = wheel

    def cases(self, category: Category) -> list[Case]:
        """All of a category, in its own order."""
        gold = {} if category == "irrelevance" else {one["id"]: one["ground_truth"] for one in self._gold(category)}
        return [
            Case(
                id=one["id"],
                category=category,
                question=one["question"][0][0]["content"],
                tools=tuple(card(function) for function in one["function"]),
                gold=tuple(gold.get(one["id"], ())),
            )
            for one in self._lines(f"BFCL_v4_{category}.json")
        ]

    def sample(self, category: Category, count: int, seed: int) -> list[Case]:
        """Some of a category, the same ones for the same seed."""
        every = self.cases(category)
        return random.Random(seed).sample(every, min(count, len(every)))

    def _gold(self, category: Category) -> Iterator[dict[str, Any]]:
        return self._lines(f"possible_answer/BFCL_v4_{category}.json")

    def _lines(self, name: str) -> Iterator[dict[str, Any]]:
        with zipfile.ZipFile(self._wheel) as archive:
            for line in archive.read(f"bfcl_eval/data/{name}").decode().splitlines():
                if line.strip():
                    yield json.loads(line)


def card(function: dict[str, Any]) -> ToolCard:
    """A function as a tool."""
    return ToolCard(
        name=function["name"], description=function["description"], parameters=schema(function["parameters"])
    )


def schema(value: Any) -> Any:
    """A schema of BFCL's as one of JSON Schema's."""
    if isinstance(value, list):
        return [schema(item) for item in value]
    if not isinstance(value, dict):
        return value
    fixed = {name: schema(item) for name, item in value.items() if name != "optional"}
    kind = fixed.get("type")
    if kind == "any":
        del fixed["type"]
    elif isinstance(kind, str):
        fixed["type"] = TYPES.get(kind, kind)
    return fixed
