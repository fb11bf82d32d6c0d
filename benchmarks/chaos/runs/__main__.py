"""Background runs while parts of the cluster, and all of it, are killed; one table of what became of each.

python -m benchmarks.chaos.runs [--runs N] [--seed N] [--times N] [--only FAULT]...

It ends with status 1 where something that is required was not seen.
"""

from __future__ import annotations

from typing import Annotated

import typer

from benchmarks.chaos.runs.run import Lab, run


def main(
    runs: Annotated[int, typer.Option(min=1, help="Background runs.")] = 100,
    seed: Annotated[int, typer.Option(help="Of plans, moments and order.")] = 1,
    times: Annotated[int, typer.Option(min=1, help="Of each fault.")] = 4,
    only: Annotated[list[str] | None, typer.Option(help="Of the faults that the table names.")] = None,
) -> None:
    """Run the lab and print its table."""
    raise SystemExit(run(Lab(runs, seed, times, tuple(only or ()))))


if __name__ == "__main__":
    typer.run(main)
