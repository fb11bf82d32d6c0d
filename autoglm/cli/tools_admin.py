"""`autoglm tools add|delete|registered|audit`: tools loaded while the cluster runs, and who called which."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated, Any

import typer

from autoglm.cli.inputs import piped_text
from autoglm.cli.options import ApiKeyOption, BaseUrlOption, JsonOption
from autoglm.cli.output import print_table, shown_moment, whole
from autoglm.client import AutoClient
from autoglm.contract import ToolCallRecord, ToolRegistration, ToolRegistrationList

NameArgument = Annotated[str, typer.Argument(help="The entry's name.")]


def add_admin_commands(app: typer.Typer) -> None:
    """Put the commands that need the scope admin beside the others of `autoglm tools`."""
    app.command("add")(add)
    app.command("delete")(delete)
    app.command("registered")(registered)
    app.command("audit")(audit)


def add(
    name: NameArgument,
    entry: Annotated[
        str,
        typer.Argument(
            help='The entry as JSON, such as \'{"python": "mytools:now"}\'; @FILE reads a file, and - reads stdin.'
        ),
    ],
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Load tools, or others in their place; the cluster runs what the entry names. Needs the scope admin."""
    given = given_entry(entry)
    with AutoClient(api_key, base_url) as client:
        made = client.admin.register_tool(name, given)
    typer.echo(made.model_dump_json() if json else f"{made.name}: {made.entry}")


def delete(
    name: NameArgument, json: JsonOption = False, base_url: BaseUrlOption = None, api_key: ApiKeyOption = None
) -> None:
    """Take registered tools out. Needs the scope admin."""
    with AutoClient(api_key, base_url) as client:
        gone = client.admin.delete_tool(name)
    typer.echo(gone.model_dump_json() if json else f"{gone.name} is registered no more")


def registered(json: JsonOption = False, base_url: BaseUrlOption = None, api_key: ApiKeyOption = None) -> None:
    """List what was added and how it fares; the tools of the cluster's file are not among it. Needs the scope admin."""
    with AutoClient(api_key, base_url) as client:
        found = ToolRegistrationList(data=tuple(client.admin.tools()))
    if json:
        typer.echo(found.model_dump_json())
        return
    columns = (whole("name"), whole("status"), "entry", "since", "message")
    print_table(columns, [row(card) for card in found.data])


def row(card: ToolRegistration) -> tuple[str, ...]:
    """An entry's row; `loaded 1/2` is on one of two replicas."""
    status = f"{card.status} {card.loaded}/{card.replicas}"
    return card.name, status, json_format.dumps(card.entry), shown_moment(card.created), card.message


def audit(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """List the newest calls of tools, refused ones too. Needs the scope admin."""
    with AutoClient(api_key, base_url) as client:
        found = client.admin.tool_calls(tenant, limit)
    if json:
        typer.echo(found.model_dump_json())
        return
    columns = ("at", whole("caller"), whole("tool"), "outcome", "seconds", "arguments")
    print_table(columns, [cells(call) for call in found.data])


def cells(call: ToolCallRecord) -> tuple[str, ...]:
    """A call's row."""
    return shown_moment(call.at), call.caller, call.tool, call.outcome, f"{call.seconds:.3f}", call.preview


def given_entry(word: str) -> dict[str, Any]:
    """The entry.

    Raises:
        typer.BadParameter: a file cannot be read, or it is no JSON object.
    """
    try:
        entry = json_format.loads(text_of(word))
    except ValueError as error:
        raise typer.BadParameter(f"ENTRY: not valid JSON ({error})") from error
    if not isinstance(entry, dict):
        raise typer.BadParameter(f'ENTRY: got {word[:60]!r}; a JSON object does, such as {{"embedded": "calculate"}}')
    return entry


def text_of(word: str) -> str:
    """The word itself, or what it says to read; raises typer.BadParameter for a file that cannot be read."""
    if word == "-":
        return piped_text()
    if not word.startswith("@"):
        return word
    try:
        return Path(word[1:]).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{word}: {error}; give the path of a readable file") from error
