"""Runs that a test scripts, and tools that answer with their arguments."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from typing import Any

from autoglm.contract.plan import Plan
from autoglm.contract.task_run import (
    ENDED,
    ApprovalRequest,
    RunEvent,
    TaskRequest,
    TaskRun,
    TaskRunList,
)
from autoglm.contract.tool import ToolCard
from autoglm.errors import APIStatusError, ConflictError, NotFoundError, PermissionDeniedError
from deployments.access import Principal

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
PLAN = Plan.model_validate({"steps": [{"id": "a", "kind": "tool", "name": "calculate"}]})


def run_of(number: int, **fields: Any) -> TaskRun:
    told = {"instruction": "What is 17 * 23?", "status": "succeeded", "created": CREATED, **fields}
    return TaskRun(id=f"run_{number:032x}", **told)


def whole_run(run: TaskRun) -> list[RunEvent]:
    """The events of a run that makes a plan and ends."""
    end = "answer" if run.error is None else "error"
    return [RunEvent(seq=1, type="plan", plan=PLAN), RunEvent(seq=2, type=end, run=run, error=run.error)]


class ScriptedRuns:
    """`script` is what a run tells: events, an error that is raised there, an asyncio.Event that is waited for."""

    def __init__(self) -> None:
        self.script: Sequence[RunEvent | APIStatusError | asyncio.Event] = whole_run(run_of(1, answer="391"))
        self.later: Sequence[RunEvent] = ()
        self.kept: dict[tuple[str, str], TaskRun] = {}
        self.asked: list[TaskRequest] = []
        self.callers: list[Principal] = []
        self.keys: list[str | None] = []
        self.decisions: list[tuple[str, ApprovalRequest]] = []
        self.closed = asyncio.Event()

    async def run(self, request: TaskRequest, caller: Principal) -> AsyncGenerator[RunEvent]:
        self.asked.append(request)
        self.callers.append(caller)
        try:
            for item in self.script:
                if isinstance(item, APIStatusError):
                    raise item
                if isinstance(item, asyncio.Event):
                    await item.wait()
                else:
                    yield item
        finally:
            self.closed.set()

    async def start(self, request: TaskRequest, caller: Principal, key: str | None) -> TaskRun:
        self.keys.append(key)
        return self.keep(caller.tenant, run_of(7, status="planning", background=True))

    async def get(self, run: str, tenant: str) -> TaskRun:
        if (run, tenant) not in self.kept:
            raise NotFoundError(f"run: there is no {run}", param="run")
        return self.kept[run, tenant]

    async def page(self, tenant: str, *, after: str | None, limit: int) -> TaskRunList:
        own = [run for (_, owner), run in self.kept.items() if owner == tenant]
        return TaskRunList(data=tuple(own[:limit]), has_more=len(own) > limit)

    async def follow(self, run: str, tenant: str, after: int) -> AsyncGenerator[RunEvent]:
        for event in self.later or self.script:
            if isinstance(event, RunEvent) and event.seq > after:
                yield event

    async def cancel(self, run: str, tenant: str) -> TaskRun:
        found = await self.get(run, tenant)
        if found.status in ENDED:
            raise ConflictError(f"run: {run} has ended", param="run")
        return self.keep(tenant, found.model_copy(update={"status": "cancelled"}))

    async def decide(self, run: str, caller: Principal, decision: ApprovalRequest) -> TaskRun:
        found = await self.get(run, caller.tenant)
        self.decisions.append((run, decision))
        return found

    def keep(self, tenant: str, run: TaskRun) -> TaskRun:
        self.kept[run.id, tenant] = run
        return run


class EchoTools:
    """One tool, `echo`; a key that was used gets the first answer again."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.timeouts: list[float] = []

    def visible(self, caller: Principal) -> Sequence[ToolCard]:
        return (ToolCard(name="echo", parameters={"type": "object"}),)

    async def call(self, caller: Principal, name: str, arguments: dict[str, Any], *, key: str, timeout_s: float) -> Any:
        self.timeouts.append(timeout_s)
        if name != "echo":
            raise PermissionDeniedError(f"tool {name!r} needs a grant", param="tool")
        return self.answers.setdefault(key, arguments)
