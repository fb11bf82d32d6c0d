"""Calls made for BFCL's questions: right functions, and right arguments too.

python -m benchmarks.planning.bfcl WHEEL [--url http://127.0.0.1:8000/v1 --model NAME [--key KEY]] [--count 50]

`--url` is of an OpenAI-compatible server, ending in /v1, which must know vLLM's `structured_outputs`. Run it once for
each model. Without a server only rules are measured.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import report
from benchmarks.planning.bfcl.case import CATEGORIES, Archive, Case
from benchmarks.planning.bfcl.check import calls_right, functions_right
from benchmarks.planning.bfcl.makers import ByModel, Maker, by_rules
from benchmarks.planning.engine import Engine
from deployments.meaning import load_encoder
from deployments.planner.planning import Planning, PlanningConfig
from deployments.planner.planning.config import ModelPlanning
from deployments.planner.planning.retrieval import ToolIndex

SEED = 5
COLUMNS = ["calls by", "category", "n", "functions right", "arguments too"]


async def row(name: str, make: Maker, cases: Sequence[Case]) -> list[str]:
    """One line of the table."""
    found = [(case, await make(case)) for case in cases]
    functions = sum(functions_right(case, made) for case, made in found)
    calls = sum(calls_right(case, made) for case, made in found)
    return [name, cases[0].category, f"{len(cases)}", f"{functions / len(cases):.1%}", f"{calls / len(cases):.1%}"]


async def makers(archive: Archive, engine: Engine | None, model: str) -> dict[str, Maker]:
    """All that there is to compare."""
    found = {"rules": by_rules(await Planning.of(PlanningConfig(planner="rules")))}
    if engine is not None:
        ours = ByModel(engine, model, ModelPlanning())
        pool = list(
            {card.name: card for name in CATEGORIES for case in archive.cases(name) for card in case.tools}.values()
        )
        index = ToolIndex(load_encoder("wordllama"))
        found |= {
            f"{model}, raw": ours.raw,
            f"{model}, schema": ours.with_schema,
            f"{model}, schema and retrieval": ours.with_retrieval(index, pool),
        }
    return found


async def compared(wheel: Path, url: str | None, model: str, key: str | None, count: int) -> None:
    """All makers on the same samples."""
    archive = Archive(wheel)
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(Engine(url, key)) if url else None
        samples = [archive.sample(category, count, SEED) for category in CATEGORIES]
        compared = await makers(archive, engine, model)
        rows = [await row(name, make, cases) for name, make in compared.items() for cases in samples]
    report.show(f"BFCL, {count} questions of each category, seed {SEED}", COLUMNS, rows)


def main(
    wheel: Annotated[Path, typer.Argument(help="of bfcl-eval", exists=True)],
    url: Annotated[str | None, typer.Option(help="of an OpenAI-compatible server, ending in /v1")] = None,
    model: Annotated[str, typer.Option(help="the model's name there")] = "chat",
    key: Annotated[str | None, typer.Option(help="its API key")] = None,
    count: Annotated[int, typer.Option(help="questions of each category", min=1)] = 50,
) -> None:
    """Print the table."""
    asyncio.run(compared(wheel, url, model, key, count))


if __name__ == "__main__":
    typer.run(main)
