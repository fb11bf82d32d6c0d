"""What an execution runs on in these tests: scripted capabilities, a journal that remembers, and virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from autoglm.contract.model_list import ModelCard
from autoglm.contract.plan import Plan
from autoglm.contract.task_run import Planner, RunEvent, StepRun, TaskRun
from autoglm.contract.tool import ToolCard
from autoglm.contract.usage import Usage
from autoglm.errors import NotFoundError, PermissionDeniedError, UnavailableError
from deployments.planner.execution import Assignment, Compose, Execution, ExecutionConfig, Replan
from deployments.planner.scanning import Scan
from tests.deployments.router.shedding.virtual_time import simulate

RUN = "run_" + "0" * 32
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATENCY_S = 1.0

Answer = Callable[[dict[str, Any]], Awaitable[Any]]


@dataclass(frozen=True)
class Sent:
    """A call as it arrived, and when."""

    at: float
    name: str
    arguments: Any
    key: str = ""
    timeout_s: float = 0.0


async def echo(arguments: dict[str, Any]) -> Any:
    """Its arguments, after a second."""
    await asyncio.sleep(LATENCY_S)
    return arguments


async def hang(arguments: dict[str, Any]) -> Any:
    """Nothing, ever."""
    await asyncio.sleep(10**9)


def fails(*errors: Exception) -> Answer:
    """These errors one after the other, then the arguments."""
    left = list(errors)

    async def answer(arguments: dict[str, Any]) -> Any:
        if left:
            raise left.pop(0)
        return await echo(arguments)

    return answer


@dataclass
class FakeCapabilities:
    """Tools by name. Those of `once` may not be repeated, those of `asking` need a person, except `to` a friend."""

    answers: Mapping[str, Answer]
    once: frozenset[str] = frozenset()
    asking: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    unknown_until: float = 0.0  # the host of the tools has told nothing before
    sent: list[Sent] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def tools(self) -> Sequence[ToolCard]:
        return [
            ToolCard(name=name, parameters={}, idempotent=name not in self.once)
            for name in self.answers
            if name not in self.revoked
        ]

    def models(self) -> Sequence[ModelCard]:
        return [ModelCard(id="chat"), ModelCard(id="sentiment")]

    def check(self, name: str, arguments: dict[str, Any] | None = None) -> bool:
        if asyncio.get_running_loop().time() < self.unknown_until:
            raise UnavailableError(f"tool {name!r} is not known yet", retry_after=1.0)
        if name not in self.answers:
            raise NotFoundError(f"tool {name!r} is not there")
        if name in self.revoked:
            raise PermissionDeniedError(f"tool {name!r} needs a grant")
        return name in self.asking and (arguments is None or arguments.get("to") != "friend")

    async def call_tool(self, name: str, arguments: dict[str, Any], *, key: str, timeout_s: float) -> Any:
        self._note(name, arguments, key, timeout_s)
        try:
            return await self.answers[name](arguments)
        except asyncio.CancelledError:
            self.stopped.append(key)
            raise

    async def call_task(self, name: str, inputs: list[Any], *, timeout_s: float) -> list[dict[str, Any]]:
        self._note(name, inputs, "", timeout_s)
        await asyncio.sleep(LATENCY_S)
        return [{"label": f"{name}-{one}"} for one in inputs]

    async def call_model(self, name: str, request: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        self._note(name, request, "", timeout_s)
        await asyncio.sleep(LATENCY_S)
        return {
            "choices": [{"message": {"role": "assistant", "content": f"said {request['messages'][-1]['content']}"}}]
        }

    async def stream_model(self, name: str, request: dict[str, Any], *, timeout_s: float) -> AsyncIterator[str]:
        self._note(name, request, "", timeout_s)
        for word in ("so ", "it ", "is"):
            await asyncio.sleep(LATENCY_S)
            yield word

    def usage(self) -> Usage:
        return Usage(total_tokens=len(self.sent))

    def keys(self) -> list[str]:
        """The steps of the calls, in the order in which these were sent."""
        return [one.key.removeprefix(f"{RUN}:") for one in self.sent]

    def _note(self, name: str, arguments: Any, key: str, timeout_s: float) -> None:
        self.sent.append(Sent(asyncio.get_running_loop().time(), name, arguments, key, timeout_s))


@dataclass
class Notes:
    """A journal in a list; `refuse` is asked before each entry of a step, and raises what is to be raised."""

    entries: list[Any] = field(default_factory=list)
    events: list[RunEvent] = field(default_factory=list)
    refuse: Callable[[StepRun], None] = lambda step: None

    async def planned(self, plan: Plan, planner: Planner) -> None:
        self.entries.append(plan)

    async def step(self, step: StepRun, usage: Usage) -> None:
        await asyncio.sleep(0)
        self.refuse(step)
        self.entries.append(step)

    async def ended(self, run: TaskRun) -> None:
        self.entries.append(run)

    async def event(self, event: RunEvent) -> None:
        self.events.append(event)

    def steps(self) -> tuple[StepRun, ...]:
        """The last entry of each step: what a resumed run begins with."""
        return tuple({one.id: one for one in self.entries if isinstance(one, StepRun)}.values())


async def spoken(instruction: str, results: Mapping[str, Any]) -> AsyncIterator[str]:
    """Results put into words, in two pieces."""
    yield f"{instruction}: "
    yield ", ".join(results)


def step(id: str, tool: str = "echo", **fields: Any) -> dict[str, Any]:
    """A step that calls a tool, with itself as the argument where no other is given."""
    return {"id": id, "kind": "tool", "name": tool, "arguments": {"id": id}} | fields


def plan_of(*steps: dict[str, Any], answer: str | None = "done") -> Plan:
    return Plan.model_validate({"steps": steps, "answer": answer})


@dataclass
class Stage:
    """One run's execution, and all that was seen of it."""

    plan: Plan
    capabilities: FakeCapabilities = field(default_factory=lambda: FakeCapabilities({"echo": echo}))
    notes: Notes = field(default_factory=Notes)
    config: ExecutionConfig = field(default_factory=ExecutionConfig)
    replan: Replan | None = None
    compose: Compose = field(default_factory=lambda: spoken)
    scan: Scan | None = None
    steps: tuple[StepRun, ...] = ()
    approved: Mapping[str, bool] = field(default_factory=dict)
    max_steps: int | None = None
    timeout_s: float | None = None
    spent_s: float = 0.0
    took_s: float = 0.0

    def execution(self) -> Execution:
        run = TaskRun(id=RUN, instruction="do it", status="running", plan=self.plan, steps=self.steps, created=NOW)
        return Execution(
            Assignment(run, self.approved, self.timeout_s, self.max_steps, spent_s=self.spent_s),
            self.capabilities,
            self.notes,
            compose=self.compose,
            replan=self.replan,
            scan=self.scan,
            config=self.config,
            clock=asyncio.get_running_loop().time,
            now=lambda: NOW,
            chance=random.Random(0),
        )

    async def execute(self) -> TaskRun:
        run = await self.execution().execute()
        self.took_s = asyncio.get_running_loop().time()
        return run

    def run(self) -> TaskRun:
        """In virtual time, to its end."""
        return simulate(self.execute())


def statuses(run: TaskRun) -> dict[str, str]:
    return {one.id: one.status for one in run.steps}
