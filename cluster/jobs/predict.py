"""`python -m cluster.jobs.predict`: a declared task over every row of a file, by way of the running application.

ray job submit --working-dir . -- python -m cluster.jobs.predict --task sentiment in.jsonl out.jsonl
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from autoglm.cli.output import print_error
from autoglm.errors import APIStatusError, AutoGLMError, ModelError
from cluster.jobs.application import Predict, connect
from cluster.jobs.batch import Call, batches, outcomes
from cluster.jobs.checkpoint import Checkpoint, fingerprint
from cluster.jobs.journal import Journal, errors_path
from cluster.jobs.outcome import Outcome
from cluster.jobs.progress import Report, shown
from cluster.jobs.retry import Retry
from cluster.jobs.rows import Position, Row, read_rows
from cluster.jobs.window import in_order

CONCURRENCY = 8
BATCH_SIZE = 32  # the embedded predictors' own, so that a call fills a batch


@dataclass(frozen=True, slots=True)
class Options:
    """What one job does. At most `concurrency` calls of `batch_size` rows are under way."""

    task: str
    source: Path
    output: Path
    input_fields: tuple[str, ...] = ()
    concurrency: int = CONCURRENCY
    batch_size: int = BATCH_SIZE


async def run(options: Options, predict: Predict, report: Report, retry: Retry | None = None) -> Checkpoint:
    """Predict what an earlier run of the same job left to do; returns the counts of all its runs.

    Raises:
        ConfigError: the input cannot be read, or the output cannot be written or is another job's.
        ModelError: a fault outlasted its retries, or no row is to blame for it; what was done is kept.
    """
    work = fingerprint(options.task, options.source, options.input_fields)
    with Journal(options.output, work) as journal:
        report(journal.state)
        if not journal.state.complete:
            try:
                await predict_rows(options, journal, retried(options.task, predict, retry or Retry()), report)
            except APIStatusError as error:
                raise ModelError(
                    f"stopped after {journal.state.rows:,} rows: {error.message}; the same command goes on from there"
                ) from error
            journal.finish()
    return journal.state


async def predict_rows(options: Options, journal: Journal, call: Call, report: Report) -> None:
    """Read, predict and write, from the journal's place to the end of the input."""
    start = journal.state.position
    with closing(read_rows(options.source, options.input_fields, start)) as rows:
        answers = (answered(batch, call) for batch in batches(rows, options.batch_size, start))
        async with aclosing(in_order(answers, options.concurrency)) as done:
            async for found, end in done:
                journal.append(found, end)
                report(journal.state)


async def answered(batch: list[Row], call: Call) -> tuple[list[Outcome], Position]:
    """A batch's outcomes, and where in the input it ends."""
    return await outcomes(batch, call), batch[-1].end


def retried(task: str, predict: Predict, retry: Retry) -> Call:
    """The prediction of a task, with retries."""

    async def call(inputs: list[Any]) -> dict[str, Any]:
        return await retry(lambda: predict(task, inputs))

    return call


def command_line(connect: Callable[[], Predict] = connect) -> typer.Typer:
    """The command; `connect` finds the application when the job starts."""
    app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)

    @app.command()
    def predict(
        source: Annotated[
            Path,
            typer.Argument(
                metavar="INPUT",
                exists=True,
                dir_okay=False,
                readable=True,
                help="A .jsonl or .csv file. Relative paths are those of the job, which under `ray job submit` runs "
                "in a copy of your folder on the cluster: give absolute ones there.",
            ),
        ],
        output: Annotated[
            Path, typer.Argument(metavar="OUTPUT", dir_okay=False, help="One JSON line for each row, in order.")
        ],
        task: Annotated[str, typer.Option(help="The task, as the cluster's file names it.")],
        input_field: Annotated[
            list[str] | None,
            typer.Option(
                metavar="NAME",
                help="Where an object or a CSV row holds the input; else `input`, else `text`, else the only field. "
                "Give several to make a row of a table.",
                show_default=False,
            ),
        ] = None,
        concurrency: Annotated[int, typer.Option(min=1, help="Calls under way at a time.")] = CONCURRENCY,
        batch_size: Annotated[int, typer.Option(min=1, help="Rows of one call.")] = BATCH_SIZE,
    ) -> None:
        """Predict every row of a file; killed or stopped, the same command goes on where it was.

        Bad rows go to OUTPUT.errors.jsonl, with line and reason.
        """
        fields = tuple(input_field or ())
        options = Options(task, source.absolute(), output.absolute(), fields, concurrency, batch_size)
        try:
            with shown(Console(), source.stat().st_size) as report:
                state = asyncio.run(run(options, connect(), report))
        except AutoGLMError as error:
            print_error(error)
            raise typer.Exit(1) from error
        typer.echo(summary(state, options.output))

    return app


def summary(state: Checkpoint, output: Path) -> str:
    """Where everything is."""
    predicted = f"{state.rows - state.bad:,} rows predicted: {output}"
    return f"{predicted}\n{state.bad:,} bad rows: {errors_path(output)}" if state.bad else predicted


if __name__ == "__main__":
    command_line()()
