"""`autoglm tasks …`: runs of instructions, in the background and over."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer

from autoglm.cli.options import ApiKeyOption, BaseUrlOption, JsonOption
from autoglm.cli.output import print_table, shown_moment, whole
from autoglm.cli.run import show
from autoglm.cli.watch import Watch, lasted, preview, result
from autoglm.client import AutoClient
from autoglm.contract import TaskRun

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The run, as `autoglm run --background` printed it.")]


def run_commands() -> typer.Typer:
    """The commands of `autoglm tasks`."""
    app = typer.Typer(
        help="See how instructions fare; cancel, approve and watch them. Needs the scope tasks; to decide, approve.",
        no_args_is_help=True,
        pretty_exceptions_show_locals=False,
    )
    app.command("list")(listed)
    for command in (get, cancel, approve, watch):
        app.command()(command)
    return app


def listed(
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 20,
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """List the tenant's runs, the newest first."""
    with AutoClient(api_key, base_url) as client:
        runs = list(islice(client.tasks.list(), limit))
    if json:
        for run in runs:
            typer.echo(run.model_dump_json())
        return
    rows = [(run.id, run.status, shown_moment(run.created), preview(run.instruction)) for run in runs]
    print_table((whole("id"), "status", "created", "instruction"), rows)


def get(
    run_id: IdArgument, json: JsonOption = False, base_url: BaseUrlOption = None, api_key: ApiKeyOption = None
) -> None:
    """Show a run: its steps, and its answer or error."""
    with AutoClient(api_key, base_url) as client:
        run = client.tasks.get(run_id)
    if json:
        typer.echo(run.model_dump_json())
        return
    print_table(
        ("step", "what", "state", "time", "result"),
        [(step.id, f"{step.kind} {step.name}", step.status, lasted(step), result(step)) for step in run.steps],
    )
    typer.echo(state(run))


def cancel(
    run_id: IdArgument, json: JsonOption = False, base_url: BaseUrlOption = None, api_key: ApiKeyOption = None
) -> None:
    """End a run, with the steps that are under way."""
    with AutoClient(api_key, base_url) as client:
        run = client.tasks.cancel(run_id)
    typer.echo(run.model_dump_json() if json else state(run))


def approve(
    run_id: IdArgument,
    step: Annotated[str | None, typer.Option(help="The step that waits; else the plan.", show_default=False)] = None,
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuse it.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Approve, or refuse, what a run waits for."""
    with AutoClient(api_key, base_url) as client:
        run = client.tasks.approve(run_id, step, approved=not refuse, reason=reason)
    typer.echo(run.model_dump_json() if json else state(run))


def watch(
    run_id: IdArgument, json: JsonOption = False, base_url: BaseUrlOption = None, api_key: ApiKeyOption = None
) -> None:
    """Draw a run's steps as they run, on stderr, and print its answer."""
    with AutoClient(api_key, base_url) as client:
        with Watch() as board, client.tasks.events(run_id) as events:
            for event in events:
                board(event)
        show(client.tasks.wait(run_id), as_json=json)


def state(run: TaskRun) -> str:
    """How a run stands, in a line, and what it answered or failed with."""
    if run.error is not None:
        return f"{run.status}: {run.error.message}"
    waits = f", waits for approval of {run.waiting_for}" if run.status == "waiting" else ""
    return f"{run.status}{waits}" if run.answer is None else f"{run.status}: {run.answer}"
