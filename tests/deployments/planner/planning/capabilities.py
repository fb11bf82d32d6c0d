"""Capabilities of a caller, with a model that answers what it is told to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from autoglm.contract.model_list import ModelCard
from autoglm.contract.tool import ToolCard
from autoglm.contract.usage import Usage
from autoglm.errors import NotFoundError, PermissionDeniedError

CHAT = ModelCard(id="chat", task="text-generation")
SENTIMENT = ModelCard(id="sentiment", task="text-classification", labels=("negative", "positive"))
IRIS = ModelCard(id="iris", task="tabular-classification")
EMBED = ModelCard(id="embed", task="embedding")


def card(name: str, description: str = "", required: Sequence[str] = (), **properties: str) -> ToolCard:
    """A tool whose parameters are of the types that are given by name."""
    schema = {
        "type": "object",
        "properties": {key: {"type": kind} for key, kind in properties.items()},
        "required": list(required or properties),
        "additionalProperties": False,
    }
    return ToolCard(name=name, description=description, parameters=schema)


DAYS = card("days_between", "Count the days between two dates.", start="string", end="string").model_copy(
    update={"returns": {"type": "object", "properties": {"days": {"type": "integer"}}}}
)
CALCULATE = card("calculate", "Calculate an arithmetic expression.", expression="string")
SHARE = card("share_of", "The share of values that are equal to one.", values="array", value="string")
ORDER = card("find_order", "Find a customer's order in the shop by its number.", number="integer")
TOOLS = (DAYS, CALCULATE, SHARE, ORDER)


class FakeCapabilities:
    """`granted` tools may be used; others of `TOOLS` are there for others. The model's `answers` come in turn."""

    def __init__(
        self,
        granted: Sequence[ToolCard] = TOOLS,
        models: Sequence[ModelCard] = (CHAT, SENTIMENT, IRIS, EMBED),
        answers: Sequence[str] = (),
        there: Sequence[ToolCard] = TOOLS,
    ) -> None:
        self._granted = granted
        self._models = models
        self._answers = list(answers)
        self._there = {one.name for one in there}
        self.checked: list[tuple[str, dict[str, Any] | None]] = []
        self.requests: list[dict[str, Any]] = []

    def tools(self) -> Sequence[ToolCard]:
        """What is granted."""
        return self._granted

    def models(self) -> Sequence[ModelCard]:
        """All that were given."""
        return self._models

    def check(self, name: str, arguments: dict[str, Any] | None = None) -> bool:
        """By name alone."""
        self.checked.append((name, arguments))
        if name in {one.name for one in self._granted}:
            return False
        if name in self._there:
            raise PermissionDeniedError(f"no grant of the tool {name!r}")
        raise NotFoundError(f"no tool {name!r}")

    def usage(self) -> Usage:
        """None."""
        return Usage()

    async def call_tool(self, name: str, arguments: dict[str, Any], *, key: str, timeout_s: float) -> Any:
        """Planning calls no tool."""
        raise NotImplementedError

    async def call_task(self, name: str, inputs: list[Any], *, timeout_s: float) -> list[dict[str, Any]]:
        """Nor a task."""
        raise NotImplementedError

    async def call_model(self, name: str, request: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """The next answer."""
        self.requests.append(request)
        return {"choices": [{"message": {"content": self._answers.pop(0)}}]}

    async def stream_model(self, name: str, request: dict[str, Any], *, timeout_s: float) -> AsyncIterator[str]:
        """The next answer, word by word."""
        self.requests.append(request)
        for word in self._answers.pop(0).split():
            yield word
