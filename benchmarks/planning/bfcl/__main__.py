"""Calls made for BFCL's questions: right functions, and right arguments too.

python -m benchmarks.planning.bfcl WHEEL [--model embedded/NAME|FOLDER|HUB_ID] [--count 50]
python -m benchmarks.planning.bfcl WHEEL --url http://127.0.0.1:8000/v1 --model NAME [--key KEY]

A server at a `--url` must know vLLM's `structured_outputs`; without one vLLM serves the model for as long as this runs,
and without a model only rules are measured. `plans` are the questions for which there was one that can be read and
names nothing but what was given. Of `irrelevance` no call is right, so that who says nothing is right too, as BFCL
counts it. Tokens are the mean of a question, its repairs included.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from autoglm.contract.plan import Plan
from autoglm.contract.usage import Usage
from benchmarks import report
from benchmarks.planning.bfcl.case import CATEGORIES, Archive, Case
from benchmarks.planning.bfcl.check import calls_right, functions_right
from benchmarks.planning.bfcl.makers import ByModel, Maker, by_planner, calls
from benchmarks.planning.engine import MODEL, Engine, opened
from deployments.meaning import load_encoder
from deployments.planner.planning import Planning, PlanningConfig
from deployments.planner.planning.config import ModelPlanning
from deployments.planner.planning.retrieval import ToolIndex

SEED = 5
AT_ONCE = 8  # questions: a CPU's engine writes four times as many tokens for eight as for one
COLUMNS = ["calls by", "category", "n", "plans", "functions right", "arguments too", "tokens read", "tokens written"]


async def row(name: str, make: Maker, cases: Sequence[Case], engine: Engine | None) -> list[str]:
    """One line of the table."""
    before = engine.usage if engine else Usage()
    plans = await made(make, cases)
    found = [(case, calls(plan)) for case, plan in zip(cases, plans, strict=True)]
    shares = [
        sum(plan is not None for plan in plans),
        sum(functions_right(case, one) for case, one in found),
        sum(calls_right(case, one) for case, one in found),
    ]
    after = engine.usage if engine else before
    tokens = [after.prompt_tokens - before.prompt_tokens, after.completion_tokens - before.completion_tokens]
    return [
        name,
        cases[0].category,
        f"{len(cases)}",
        *(f"{share / len(cases):.1%}" for share in shares),
        *(f"{count / len(cases):.0f}" for count in tokens),
    ]


async def made(make: Maker, cases: Sequence[Case]) -> list[Plan | None]:
    """The plans of the cases, some of them made at once."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case) -> Plan | None:
        async with places:
            return await make(case)

    return await asyncio.gather(*map(one, cases))


async def makers(archive: Archive, engine: Engine | None, name: str) -> dict[str, Maker]:
    """All that there is to compare."""
    found = {"rules": by_planner(await Planning.of(PlanningConfig(planner="rules")))}
    if engine is None:
        return found
    chat = await engine.card()
    ours = ByModel(engine, chat, ModelPlanning())
    cards = {card.name: card for category in CATEGORIES for case in archive.cases(category) for card in case.tools}
    index = ToolIndex(load_encoder("wordllama"))
    return found | {
        f"{name}, raw": ours.raw,
        f"{name}, schema": ours.with_schema,
        f"{name}, schema and retrieval of {len(cards)}": ours.with_retrieval(index, list(cards.values())),
        f"{name}, as by default": by_planner(await Planning.of(PlanningConfig()), chat, engine),
    }


async def compared(wheel: Path, model: str | None, url: str | None, key: str | None, count: int) -> None:
    """All makers on the same samples."""
    archive = Archive(wheel)
    samples = [archive.sample(category, count, SEED) for category in CATEGORIES]
    async with opened(model, url, key) as engine:
        name = Path(model or "").name
        everyone = await makers(archive, engine, name)
        rows = []
        for who, make in everyone.items():
            for cases in samples:
                rows.append(await row(who, make, cases, engine))
                sys.stderr.write(f"{', '.join(rows[-1])}\n")  # the whole takes half an hour on a CPU
    report.show(f"BFCL, {count} questions of each category, seed {SEED}", COLUMNS, rows)


def main(
    wheel: Annotated[Path, typer.Argument(help="of bfcl-eval", exists=True)],
    model: Annotated[str | None, typer.Option(help=MODEL)] = None,
    url: Annotated[str | None, typer.Option(help="of an OpenAI-compatible server, ending in /v1")] = None,
    key: Annotated[str | None, typer.Option(help="its API key")] = None,
    count: Annotated[int, typer.Option(help="questions of each category", min=1)] = 50,
) -> None:
    """Print the table."""
    asyncio.run(compared(wheel, model, url, key, count))


if __name__ == "__main__":
    typer.run(main)
