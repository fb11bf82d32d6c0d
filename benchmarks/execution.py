"""What the executor adds: oracle plans over stub tools of fixed latency, against their critical path.

python -m benchmarks.execution [--latency-ms 50] [--repeats 5]

Each tool adds up what it is given and answers after the latency, so that a plan's results are known beforehand. The
critical path is the longest way through the plan, in latencies; the sequential time is all of its steps, one after the
other. Where fewer steps may run at once than a plan could use, no schedule is faster than the larger of the critical
path and its steps shared out over the places (Graham, "Bounds on Multiprocessing Timing Anomalies", 1969); the last
columns are the default bound's. Backoff is left out: it would be measured, not the executor.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from statistics import median
from typing import Annotated, Any

import typer

from autoglm.contract.model_list import ModelCard
from autoglm.contract.plan import Plan, Step
from autoglm.contract.task_run import Planner, RunEvent, StepRun, TaskRun
from autoglm.contract.tool import ToolCard
from autoglm.contract.usage import Usage
from autoglm.errors import UnavailableError
from benchmarks import report
from deployments.planner.execution import Assignment, Execution, ExecutionConfig
from deployments.planner.graph import dependencies

SEED = 0
WIDEST = 200  # steps of the largest plans, all of which may run at once
FAILURE_RATE = 0.1
FAN_IN = 4  # of a reduction
ADD = ToolCard(name="add", parameters={"type": "object"}, idempotent=True)


class StubCapabilities:
    """One tool that adds; with `failure_rate` a call fails after its latency, as a replica that dies with it does."""

    def __init__(self, latency_s: float, failure_rate: float = 0.0) -> None:
        self._latency_s = latency_s
        self._failure_rate = failure_rate
        self._chance = Random(SEED)
        self._usage = Usage()
        self.calls = 0

    def tools(self) -> Sequence[ToolCard]:
        """The one."""
        return (ADD,)

    def models(self) -> Sequence[ModelCard]:
        """None."""
        return ()

    def check(self, name: str, arguments: dict[str, Any] | None = None) -> bool:
        """All is allowed."""
        return False

    async def call_tool(self, name: str, arguments: dict[str, Any], *, key: str, timeout_s: float) -> Any:
        """The sum of the terms."""
        self.calls += 1
        await asyncio.sleep(self._latency_s)
        if self._chance.random() < self._failure_rate:
            raise UnavailableError("injected")
        return {"sum": sum(arguments["terms"])}

    async def call_task(self, name: str, inputs: list[Any], *, timeout_s: float) -> list[dict[str, Any]]:
        """No plan here has one."""
        raise NotImplementedError

    async def call_model(self, name: str, request: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """No plan here has one."""
        raise NotImplementedError

    def stream_model(self, name: str, request: dict[str, Any], *, timeout_s: float) -> AsyncIterator[str]:
        """No plan here has one."""
        raise NotImplementedError

    def usage(self) -> Usage:
        """Nothing."""
        return self._usage


class EventQueue:
    """The journal of a run that somebody listens to: its events are handed on, its entries kept nowhere."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[RunEvent] = asyncio.Queue()

    async def planned(self, plan: Plan, planner: Planner) -> None:
        """Taken."""

    async def step(self, step: StepRun, usage: Usage) -> None:
        """Taken."""

    async def ended(self, run: TaskRun) -> None:
        """Taken."""

    async def event(self, event: RunEvent) -> None:
        """Handed on."""
        self._events.put_nowait(event)


@dataclass(frozen=True, slots=True)
class Measured:
    """One plan's runs: seconds, and whether every result of every run was right."""

    wall_s: float
    is_exact: bool
    calls: int


def step(number: int, terms: Sequence[int]) -> Step:
    """Its number and the sums of earlier steps."""
    refer: list[Any] = [f"${{s{term}.sum}}" for term in terms]
    return Step(id=f"s{number}", kind="tool", name="add", arguments={"terms": [number, *refer]})


def chain(steps: int) -> Plan:
    """One after the other."""
    return plan([step(n, [n - 1] if n else []) for n in range(steps)])


def fan_out(steps: int) -> Plan:
    """One, then all but two at once, then one."""
    middle = range(1, steps - 1)
    return plan([step(0, []), *(step(n, [0]) for n in middle), step(steps - 1, middle)])


def diamonds(steps: int) -> Plan:
    """One, two beside each other, one, and so on."""
    ways = {0: [3], 1: [1], 2: [2], 3: [1, 2]}  # by the place in a group of three: how far back its terms are
    return plan([step(n, [n - back for back in ways[(n - 1) % 3 + 1]] if n else []) for n in range(steps)])


def map_reduce(steps: int) -> Plan:
    """As many at once as leave room for the tree that adds them up by fours."""
    leaves = (steps * (FAN_IN - 1) + 1) // FAN_IN
    made = [step(n, []) for n in range(leaves)]
    open_ends = list(range(leaves))
    while len(open_ends) > 1:
        taken, open_ends = open_ends[:FAN_IN], open_ends[FAN_IN:]
        open_ends.append(len(made))
        made.append(step(len(made), taken))
    return plan(made)


def random_graph(steps: int) -> Plan:
    """Each step adds up to three of the twenty before it."""
    chance = Random(SEED)
    return plan(
        [step(n, sorted(chance.sample(range(max(0, n - 20), n), min(n, chance.randint(0, 3))))) for n in range(steps)]
    )


def plan(steps: Sequence[Step]) -> Plan:
    """The last step's result is the answer."""
    return Plan(steps=tuple(steps), answer=f"${{{steps[-1].id}.sum}}")


PLANS = {
    "chain of 20": chain(20),
    f"fan-out of {WIDEST}": fan_out(WIDEST),
    f"diamonds of {WIDEST - 1}": diamonds(WIDEST - 1),
    f"map-reduce of {WIDEST - 1}": map_reduce(WIDEST - 1),
    **{f"random of {steps}": random_graph(steps) for steps in (5, 20, 50, 100, WIDEST)},
}


def oracle(made: Plan) -> dict[str, int]:
    """Every step's sum, worked out without the executor."""
    sums: dict[str, int] = {}
    for one in made.steps:
        number, *terms = one.arguments["terms"]
        sums[one.id] = number + sum(sums[term[2:].removesuffix(".sum}")] for term in terms)
    return sums


def depth(made: Plan) -> int:
    """Steps on the longest way through."""
    depths: dict[str, int] = {}
    for one in made.steps:
        depths[one.id] = 1 + max((depths[before] for before in dependencies(one)), default=0)
    return max(depths.values())


async def measured(made: Plan, config: ExecutionConfig, latency_s: float, failure_rate: float, runs: int) -> Measured:
    """The median of several runs, each by a new executor."""
    walls: list[float] = []
    is_exact = True
    capabilities = StubCapabilities(latency_s, failure_rate)
    right = oracle(made)
    for _ in range(runs):
        begun = time.perf_counter()
        run = await executed(made, capabilities, config)
        walls.append(time.perf_counter() - begun)
        found: Mapping[str, Any] = {one.id: one.result for one in run.steps}
        is_exact &= run.status == "succeeded" and found == {name: {"sum": value} for name, value in right.items()}
    return Measured(median(walls), is_exact, capabilities.calls)


async def executed(made: Plan, capabilities: StubCapabilities, config: ExecutionConfig) -> TaskRun:
    """One run of the plan."""
    now = datetime.now(UTC)
    run = TaskRun(id=f"run_{'0' * 32}", instruction="add", status="running", plan=made, created=now)
    return await Execution(Assignment(run), capabilities, EventQueue(), compose=nothing, config=config).execute()


async def nothing(instruction: str, results: Mapping[str, Any]) -> AsyncIterator[str]:
    """No plan here needs words."""
    yield ""


async def row(name: str, made: Plan, latency_s: float, runs: int) -> list[str]:
    """One plan: all at once, at the default bound, and with failures."""
    wide = ExecutionConfig(max_parallel=WIDEST, max_attempts=10, max_retries=10 * WIDEST, max_calls=20 * WIDEST)
    wide = wide.model_copy(update={"backoff_s": 0.0, "max_backoff_s": 0.0})
    bounded = ExecutionConfig()
    steps, critical_s = len(made.steps), depth(made) * latency_s
    least_s = max(critical_s, math.ceil(steps / bounded.max_parallel) * latency_s)
    free = await measured(made, wide, latency_s, 0.0, runs)
    few = await measured(made, bounded, latency_s, 0.0, runs)
    failing = await measured(made, wide, latency_s, FAILURE_RATE, runs)
    exact = "exact" if free.is_exact and few.is_exact and failing.is_exact else "WRONG"
    return [
        name,
        f"{critical_s:.2f} s",
        f"{free.wall_s:.3f} s",
        f"{free.wall_s / critical_s:.3f}x",
        f"{steps * latency_s / free.wall_s:.1f}x",
        f"{failing.wall_s:.3f} s",
        f"{failing.calls / runs / steps - 1:.0%}",
        exact,
        f"{few.wall_s / least_s:.3f}x",
    ]


async def table(latency_s: float, runs: int) -> list[list[str]]:
    """Every plan, after one that warms up."""
    await measured(PLANS["random of 50"], ExecutionConfig(), 0.0, 0.0, 3)
    return [await row(name, made, latency_s, runs) for name, made in PLANS.items()]


def main(
    latency_ms: Annotated[float, typer.Option(help="Of each tool.")] = 50.0,
    repeats: Annotated[int, typer.Option(help="Runs of each plan; the median counts.", min=1)] = 5,
) -> None:
    """Run every plan and print one table."""
    columns = ["plan", "critical path", "wall", "of it", "of sequential", "10 % fail", "repeated", "results"]
    columns.append(f"of the least at {ExecutionConfig().max_parallel} at once")
    title = f"tools of {latency_ms:g} ms; median of {repeats} runs"
    report.show(title, columns, asyncio.run(table(latency_ms / 1000, repeats)))


if __name__ == "__main__":
    typer.run(main)
