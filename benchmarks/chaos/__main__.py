"""Faults under traffic, one kind after the other, and one table of what became of every request.

python -m benchmarks.chaos [--engine mock|vllm] [--kills N] [--times N] [--seed N] [--max-minutes M]
                           [--only FAULT]...

It ends with status 1 where something that is required was not seen.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from serve_app import environment


def main(
    engine: Annotated[str, typer.Option(help="mock, or vllm.")] = "mock",
    kills: Annotated[int, typer.Option(min=0, help="Replicas to kill one by one.")] = 500,
    times: Annotated[int, typer.Option(min=1, help="Of most other faults.")] = 4,
    seed: Annotated[int, typer.Option(help="Of traffic and victims.")] = 1,
    max_minutes: Annotated[float, typer.Option(min=1, help="After which no more replicas are killed.")] = 30,
    only: Annotated[list[str] | None, typer.Option(help="Of the faults that the table names.")] = None,
) -> None:
    """Run the lab and print its table."""
    with tempfile.TemporaryDirectory(prefix="autoglm-") as folder:
        environment.prepare(Path(folder))  # before Ray is imported
        from benchmarks.chaos.run import Plan, run

        raise SystemExit(run(Plan(engine, kills, times, seed, 60 * max_minutes, tuple(only or ()))))


if __name__ == "__main__":
    typer.run(main)
