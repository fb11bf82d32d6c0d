"""`autoglm task …`: a task of a file, fitted and used in this process, and deployed to a cluster."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from autoglm.cli.inputs import given_inputs
from autoglm.cli.options import ApiKeyOption, BaseUrlOption, JsonOption
from autoglm.cli.output import print_table
from autoglm.cli.predict import shown
from autoglm.client import AutoClient
from autoglm.tasks import AutoTask

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="The task's YAML or JSON file, or a folder that `--save` wrote.")
]


def task_commands() -> typer.Typer:
    """The commands of `autoglm task`."""
    app = typer.Typer(
        help="Fit, run and measure the task of a file here, without a cluster; deploy it to one.",
        no_args_is_help=True,
        pretty_exceptions_show_locals=False,
    )
    for command in (fit, predict, evaluate, deploy):
        app.command()(command)
    return app


def fit(
    file: FileArgument,
    save: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write the task into a new folder.")] = None,
    json: JsonOption = False,
) -> None:
    """Fit a task on its data."""
    task = opened(file).fit(lambda step: typer.echo(step, err=True))
    folder = None if save is None else str(task.save(save))
    if json:
        typer.echo(jsonlib.dumps({"task": task.config.task, "reason": task.reason, "saved": folder}))
        return
    typer.echo(f"{task.config.task}: fitted ({task.reason})")
    if folder:
        typer.echo(f"saved in {folder}")


def predict(
    file: FileArgument,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="INPUT", help="Texts, @FILE for an image, \\[5.1, 3.5] for a row; `-` or a pipe."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(metavar="TABLE", help="A CSV, TSV, JSON-lines or Parquet file: prints a JSON line for each row."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Predict inputs, or every row of a table, however large it is."""
    task = opened(file)
    if data is not None:
        if inputs:
            raise typer.BadParameter("got inputs and --data; give one of them")
        print_lines(task.predict_stream(data))
        return
    items = given_inputs(inputs or [])
    answers = task.predict(items)
    if json:
        typer.echo(jsonlib.dumps([plain(answer) for answer in answers]))
        return
    print_table(("input", "answer", "score"), [(shown(i), *cells(a)) for i, a in zip(items, answers, strict=True)])


def evaluate(
    file: FileArgument,
    data: Annotated[str | None, typer.Option(metavar="TABLE", help="Labelled rows; else the task's data.test.")] = None,
    chart: Annotated[Path | None, typer.Option(metavar="IMAGE", help="Draw it into a .png, .svg or .pdf file.")] = None,
    json: JsonOption = False,
) -> None:
    """Measure a task on labelled rows."""
    evaluation = opened(file).evaluate(data)
    if chart is not None:
        evaluation.chart(chart)
    if json:
        typer.echo(jsonlib.dumps(evaluation.to_dict()))
        return
    print_table(("metric", f"{evaluation.rows:,} rows"), [(name, f"{score:.4f}") for name, score in evaluation.items()])


def deploy(
    file: FileArgument,
    name: Annotated[
        str | None, typer.Option(help="Its name there; else the declaration's.", show_default=False)
    ] = None,
    version: Annotated[str | None, typer.Option(help="Else the next free of v1, v2, …", show_default=False)] = None,
    wait: Annotated[float, typer.Option(metavar="SECONDS", help="How long it may take until it runs.")] = 300,
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Make a task, fitted here, a version on a running cluster; the key needs the scope `admin`."""
    with AutoClient(api_key, base_url) as client:
        card = opened(file).deploy(client, name, version, wait_s=wait, progress=lambda step: typer.echo(step, err=True))
    if json:
        typer.echo(card.model_dump_json())
        return
    typer.echo(f"{card.name} {card.version} runs: autoglm predict {card.name} …")


def opened(file: Path) -> AutoTask:
    """The task of a file or of a saved folder."""
    return AutoTask.load(file) if file.is_dir() else AutoTask.from_file(file)


def print_lines(answers: Iterable[Any]) -> None:
    """One JSON line for each answer, as it comes."""
    for answer in answers:
        typer.echo(jsonlib.dumps(plain(answer)))


def plain(answer: Any) -> Any:
    """A prediction, a vector or a text as JSON takes it."""
    if hasattr(answer, "model_dump"):
        return answer.model_dump()
    return answer.tolist() if hasattr(answer, "tolist") else answer


def cells(answer: Any) -> tuple[str, str]:
    """The two cells of an answer: what it is, and how sure; a regression has no score."""
    if not hasattr(answer, "label"):
        return shown(plain(answer)), ""
    return answer.label, "" if answer.value is not None else f"{answer.score:.4f}"
