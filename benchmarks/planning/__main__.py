"""Plans and answers for the project's own instructions: by rules, and by a model.

python -m benchmarks.planning [--model embedded/NAME|FOLDER|HUB_ID] [--misses]
python -m benchmarks.planning --url http://127.0.0.1:8000/v1 --model NAME [--key KEY]

Everything but the model runs in this process: the embedded tools, the tasks, the executor. Node and edge F1 are means
over the instructions that have a gold plan; `right` is the share of all whose answer, or refusal, is right end to end.
Without a model what is left to chat counts as right where it is left to chat, and nobody looks at what that says.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, median
from time import perf_counter
from typing import Annotated

import typer

from autoglm.contract.plan import Plan
from autoglm.contract.task_run import TaskRequest, TaskRun
from autoglm.errors import APIStatusError
from benchmarks import report
from benchmarks.planning.capabilities import LocalCapabilities, local_capabilities
from benchmarks.planning.engine import CHAT, MODEL, opened
from benchmarks.planning.instruction_set import Instruction, instructions
from benchmarks.planning.scores import edges, f1, nodes, says
from deployments.planner.execution import Assignment, Execution
from deployments.planner.journals import View
from deployments.planner.planning import Planned, Planning, PlanningConfig
from deployments.planner.planning.config import Maker

RUN = "run_" + "0" * 32
COLUMNS = ["plans by", "instructions", "n", "node F1", "edge F1", "right", "median ms to plan"]
HALVES = ("seen", "held_out", "late")


@dataclass(frozen=True)
class Outcome:
    """What became of one instruction."""

    instruction: Instruction
    plan: Plan | None
    answer: str
    seconds: float
    is_right: bool


async def outcome(planning: Planning, capabilities: LocalCapabilities, one: Instruction, *, is_asked: bool) -> Outcome:
    """Plan it and run it; `is_asked` tells that there is a chat model to look at."""
    started = perf_counter()
    try:
        planned = await planning.plan(TaskRequest(instruction=one.instruction), capabilities)
    except APIStatusError as error:
        return Outcome(one, None, error.message, perf_counter() - started, one.outcome == "refused")
    seconds = perf_counter() - started
    is_chat = nodes(planned.plan) == [CHAT]
    if is_chat and not is_asked:
        return Outcome(one, planned.plan, "", seconds, one.outcome == "chat")
    answer = await answered(planning, capabilities, one, planned)
    is_right = one.outcome != "refused" and answer is not None and says(answer, one.answer)
    return Outcome(one, planned.plan, answer or "", seconds, is_right)


async def answered(
    planning: Planning, capabilities: LocalCapabilities, one: Instruction, planned: Planned
) -> str | None:
    """What the run answers; None where it fails."""
    run = TaskRun(
        id=RUN,
        instruction=one.instruction,
        status="running",
        planner=planned.planner,
        plan=planned.plan,
        created=datetime.now(UTC),
    )
    execution = Execution(Assignment(run), capabilities, View(run), compose=planning.compose(capabilities))
    return (await execution.execute()).answer


def row(name: str, which: str, found: Sequence[Outcome]) -> list[str]:
    """One line of the table."""
    gold = [one for one in found if one.instruction.outcome != "refused"]
    return [
        name,
        which,
        f"{len(found)}",
        f"{mean(f1(nodes(one.plan) if one.plan else (), one.instruction.nodes) for one in gold):.3f}",
        f"{mean(f1(edges(one.plan) if one.plan else (), one.instruction.pairs()) for one in gold):.3f}",
        f"{sum(one.is_right for one in found)} ({mean(one.is_right for one in found):.1%})",
        f"{1000 * median(one.seconds for one in found):.1f}",
    ]


async def measured(maker: Maker, capabilities: LocalCapabilities, *, is_asked: bool) -> list[Outcome]:
    """All instructions, one after the other."""
    config = PlanningConfig(planner=maker, model=CHAT if maker == "model" else None)
    planning = await Planning.of(config)
    return [await outcome(planning, capabilities, one, is_asked=is_asked) for one in instructions()]


async def compared(model: str | None, url: str | None, key: str | None, *, misses: bool) -> None:
    """Rules, and with a model those plans too that it makes."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        engine = await stack.enter_async_context(opened(model, url, key))
        capabilities = await local_capabilities(Path(folder), engine)
        makers: list[Maker] = ["auto", "model"] if engine else ["auto"]
        rows = []
        for maker in makers:
            found = await measured(maker, capabilities, is_asked=engine is not None)
            rows += [row(maker, half, [one for one in found if one.instruction.half == half]) for half in HALVES]
            rows.append(row(maker, "in Chinese", [one for one in found if one.instruction.language == "zh"]))
            rows.append(row(maker, "all", found))
            if misses:
                show_misses(found)
    report.show("The project's own instructions", COLUMNS, rows)


def show_misses(found: Sequence[Outcome]) -> None:
    """Each wrong one, with what became of it."""
    for one in found:
        if not one.is_right:
            print(f"{one.instruction.id}: {one.instruction.instruction!r}\n    {one.plan}\n    {one.answer!r}")


def main(
    model: Annotated[str | None, typer.Option(help=MODEL)] = None,
    url: Annotated[str | None, typer.Option(help="of an OpenAI-compatible server, ending in /v1")] = None,
    key: Annotated[str | None, typer.Option(help="its API key")] = None,
    misses: Annotated[bool, typer.Option(help="print what went wrong")] = False,
) -> None:
    """Print the table."""
    asyncio.run(compared(model, url, key, misses=misses))


if __name__ == "__main__":
    typer.run(main)
