"""How often retrieval finds the tools that a question needs: BFCL's among each other, and the embedded ones in Chinese.

python -m benchmarks.planning.retrieval WHEEL

Half of BFCL's questions were used to choose how much words count beside meaning; the other half is measured here. The
instructions in Chinese are the project's own, with the embedded tools among all of BFCL's.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Annotated

import typer

from autoglm.contract.tool import ToolCard
from autoglm.errors import ConfigError
from benchmarks import report
from benchmarks.planning.bfcl.case import Archive, Category
from benchmarks.planning.capabilities import embedded_sources
from benchmarks.planning.instruction_set import instructions
from deployments.meaning import load_encoder
from deployments.planner.planning.retrieval import ToolIndex

CATEGORIES: tuple[Category, ...] = ("simple_python", "multiple", "parallel")
DEPTHS = (1, 4, 8, 16)
COLUMNS = ["encoder", "questions", "n", "tools", *(f"in the first {depth}" for depth in DEPTHS), "p50 ms", "p99 ms"]


@dataclass(frozen=True)
class Wanted:
    """A question, and the names of all tools that it needs."""

    question: str
    names: frozenset[str]


def measured(index: ToolIndex, pool: Sequence[ToolCard], questions: Sequence[Wanted]) -> list[str]:
    """The share of questions whose tools are all found, and the time of a question."""
    index.nearest(questions[0].question, pool, 1)  # all tools encoded
    ranks, times = [], []
    for one in questions:
        started = perf_counter()
        found = [fitting.card.name for fitting in index.nearest(one.question, pool, max(DEPTHS))]
        times.append(1000 * (perf_counter() - started))
        ranks.append(max((found.index(name) if name in found else len(pool)) for name in one.names))
    shares = [f"{sum(rank < depth for rank in ranks) / len(ranks):.1%}" for depth in DEPTHS]
    return [f"{len(questions)}", f"{len(pool)}", *shares, *(f"{quantiles(times, n=100)[at]:.1f}" for at in (49, 98))]


def bfcl(archive: Archive) -> tuple[list[ToolCard], list[Wanted]]:
    """All tools, and every second question."""
    cases = [case for category in CATEGORIES for case in archive.cases(category)]
    pool = {card.name: card for case in cases for card in case.tools}
    wanted = [Wanted(case.question, frozenset(name for call in case.gold for name in call)) for case in cases[1::2]]
    return list(pool.values()), wanted


async def chinese() -> tuple[list[ToolCard], list[Wanted]]:
    """The embedded tools, and the instructions in Chinese that need some of them."""
    with tempfile.TemporaryDirectory() as folder:
        cards = [card for source in await embedded_sources(Path(folder)) for card in source.tools()]
    names = {card.name for card in cards}
    asked = [one for one in instructions() if one.language == "zh" and names.issuperset(one.nodes) and one.nodes]
    return cards, [Wanted(one.instruction, frozenset(one.nodes)) for one in asked]


def main(wheel: Annotated[Path, typer.Argument(help="of bfcl-eval", exists=True)]) -> None:
    """Print the table."""
    pool, questions = bfcl(Archive(wheel))
    own, in_chinese = asyncio.run(chinese())
    rows = []
    for name in ("wordllama", "e5"):
        try:
            index = ToolIndex(load_encoder(name))
        except ConfigError as error:
            print(error)
            continue
        rows.append([name, "BFCL, held out", *measured(index, pool, questions)])
        rows.append([name, "in Chinese", *measured(index, [*own, *pool], in_chinese)])
    report.show("Retrieval of tools", COLUMNS, rows)


if __name__ == "__main__":
    typer.run(main)
