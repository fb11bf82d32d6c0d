"""Capabilities and planning that a test scripts: tools with effects, known by their keys, and plans as sent."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autoglm.contract.model_list import ModelCard
from autoglm.contract.plan import Plan
from autoglm.contract.task_run import Planner, TaskRequest
from autoglm.contract.tool import ToolCard
from autoglm.contract.usage import Usage
from autoglm.errors import APIStatusError, UnavailableError, UnprocessableEntityError
from deployments.planner.capabilities import Capabilities
from deployments.planner.execution import Compose, Replan


class World:
    """What tools have done, by idempotency key, and every call as it began: (time, worker, key)."""

    def __init__(self, seed: int = 0) -> None:
        self.effects: dict[str, Any] = {}
        self.calls: list[tuple[float, str, str]] = []
        self.chance = random.Random(seed)


class StubCapabilities:
    """One tool, `note`, that takes about a second and does its work somewhere in it; a key takes effect once.

    Each call that was answered counts as one token.
    """

    def __init__(self, world: World, worker: str = "w", latency_s: float = 1.0) -> None:
        self._world = world
        self._worker = worker
        self._latency_s = latency_s
        self._usage = Usage()

    def tools(self) -> Sequence[ToolCard]:
        return (ToolCard(name="note", parameters={"type": "object"}, idempotent=True),)

    def models(self) -> Sequence[ModelCard]:
        return ()

    def check(self, name: str, arguments: dict[str, Any] | None = None) -> bool:
        return False

    async def call_tool(self, name: str, arguments: dict[str, Any], *, key: str, timeout_s: float) -> Any:
        world = self._world
        world.calls.append((asyncio.get_running_loop().time(), self._worker, key))
        before = world.chance.uniform(0, self._latency_s)
        await asyncio.sleep(before)
        value = world.effects.setdefault(key, arguments)
        await asyncio.sleep(self._latency_s - before)
        self._usage = Usage(total_tokens=self._usage.total_tokens + 1)
        return value

    async def call_task(self, name: str, inputs: list[Any], *, timeout_s: float) -> list[dict[str, Any]]:
        raise NotImplementedError

    async def call_model(self, name: str, request: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        raise NotImplementedError

    def stream_model(self, name: str, request: dict[str, Any], *, timeout_s: float) -> AsyncIterator[str]:
        raise NotImplementedError

    def usage(self) -> Usage:
        return self._usage


@dataclass(frozen=True)
class Made:
    """A plan and its maker."""

    plan: Plan
    planner: Planner = "user"


class StubPlanning:
    """The plan of the request; without one, the error or the future that was scripted."""

    scan = None

    def __init__(self, otherwise: APIStatusError | asyncio.Event | None = None, away: int = 0) -> None:
        self._otherwise = otherwise
        self._away = away  # so often nobody can plan

    async def plan(self, request: TaskRequest, capabilities: Capabilities) -> Made:
        if self._away:
            self._away -= 1
            raise UnavailableError("the tools are not known yet")
        if isinstance(self._otherwise, asyncio.Event):
            await self._otherwise.wait()
        if request.plan is None:
            raise (
                self._otherwise if isinstance(self._otherwise, APIStatusError) else UnprocessableEntityError("no plan")
            )
        return Made(request.plan)

    def replan(self, request: TaskRequest, capabilities: Capabilities) -> Replan | None:
        return None

    def compose(self, capabilities: Capabilities) -> Compose:
        return words


async def words(instruction: str, results: Mapping[str, Any]) -> AsyncIterator[str]:
    yield f"{len(results)} results"


Clock = Callable[[], float]


def plan_of(*steps: dict[str, Any], answer: str | None = "done") -> Plan:
    """Steps of `note`, where nothing else is said."""
    return Plan.model_validate(
        {"steps": [{"kind": "tool", "name": "note", **step} for step in steps], "answer": answer}
    )


def random_plan(chance: random.Random, size: int) -> Plan:
    """Steps that wait for random earlier ones; now and then a person is to consent."""
    steps = []
    for index in range(size):
        after = [f"s{other}" for other in range(index) if chance.random() < 0.4]
        asks = {"kind": "approval", "name": "go on?"} if chance.random() < 0.15 else {}
        steps.append({"id": f"s{index}", "after": after, "arguments": {} if asks else {"n": index}, **asks})
    return plan_of(*steps)
