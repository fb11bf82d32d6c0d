"""`autoglm run`: an instruction is done."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from autoglm.cli.inputs import piped_text
from autoglm.cli.options import ApiKeyOption, BaseUrlOption, JsonOption
from autoglm.cli.watch import Watch
from autoglm.client import AutoClient
from autoglm.client.task_calls import RunOptions
from autoglm.contract import Plan, TaskRun


def run(
    instruction: Annotated[str | None, typer.Argument(help="What is to be done; without it, stdin.")] = None,
    plan: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A plan of your own, as JSON, instead of one that is made.")
    ] = None,
    tools: Annotated[
        str | None, typer.Option(metavar="NAME,…", help="The tools that the plan may use; else all that you may.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and run nothing.")] = False,
    approve: Annotated[bool, typer.Option("--approve", help="Wait with the plan until it is approved.")] = False,
    background: Annotated[
        bool, typer.Option("--background", help="Print the run's id at once; `autoglm tasks` follows it.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Draw the steps on stderr as they run.")] = False,
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Have an instruction planned, run and answered."""
    if background and watch:
        raise typer.BadParameter("got --background and --watch; start it, then `autoglm tasks watch ID`")
    options = RunOptions(dry_run=dry_run, approve=approve, background=background)
    if plan is not None:
        options["plan"] = read_plan(plan)
    if tools is not None:
        options["tools"] = [name.strip() for name in tools.split(",") if name.strip()]
    with AutoClient(api_key, base_url) as client:
        show(done(client, given(instruction), options, watched=watch), as_json=json)


def done(client: AutoClient, instruction: str, options: RunOptions, *, watched: bool) -> TaskRun:
    """The run, drawn as it goes where it is watched."""
    if not watched:
        return client.run(instruction, **options)
    with Watch() as watch:
        return client.run(instruction, on_event=watch, **options)


def given(instruction: str | None) -> str:
    """The argument, or all of stdin.

    Raises:
        typer.BadParameter: there is neither.
    """
    text = piped_text() if instruction is None and not sys.stdin.isatty() else instruction
    if not text or not text.strip():
        raise typer.BadParameter("got no instruction; give it as an argument, or pipe it in")
    return text


def read_plan(file: Path) -> Plan:
    """The plan of a JSON file.

    Raises:
        typer.BadParameter: it cannot be read, or is no plan; the message names the field.
    """
    try:
        return Plan.model_validate_json(file.expanduser().read_bytes())
    except OSError as error:
        raise typer.BadParameter(f"--plan: {file}: {error.strerror}; give the path of a readable file") from error
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(map(str, fault["loc"])) or "the file"
        raise typer.BadParameter(f"--plan: {file}: {place}: {fault['msg']}") from error


def show(run: TaskRun, *, as_json: bool) -> None:
    """The answer; of a plan that is not run, the plan; of a run that goes on, its id, with what to do on stderr."""
    if as_json:
        typer.echo(run.model_dump_json())
    elif run.status == "planned":
        typer.echo(str(run.plan))
    elif run.status == "waiting":
        step = "" if run.waiting_for in (None, "plan") else f" --step {run.waiting_for}"
        typer.echo(f"waits for approval of {run.waiting_for}:\n{run.plan}\n", err=True)
        typer.echo(f"go on by: autoglm tasks approve {run.id}{step}", err=True)
        typer.echo(run.id)
    elif run.status in ("planning", "running"):
        typer.echo(f"{run.status}; follow it by: autoglm tasks watch {run.id}", err=True)
        typer.echo(run.id)
    elif run.status == "cancelled":
        typer.echo(f"cancelled: {run.error.message}" if run.error else "cancelled", err=True)
        raise typer.Exit(1)
    else:
        typer.echo(run.answer)
