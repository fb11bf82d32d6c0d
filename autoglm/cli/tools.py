"""`autoglm tools …`: the tools that the caller may use, and one call of one."""

from __future__ import annotations

import json as jsonlib
from typing import Annotated, Any

import typer

from autoglm.cli.options import ApiKeyOption, BaseUrlOption, JsonOption
from autoglm.cli.output import print_table, whole
from autoglm.cli.tools_admin import add_admin_commands
from autoglm.client import AutoClient
from autoglm.contract import ToolCard


def tool_commands() -> typer.Typer:
    """The commands of `autoglm tools`."""
    app = typer.Typer(
        help="List and call the tools that you may use; add and delete the cluster's.",
        no_args_is_help=True,
        pretty_exceptions_show_locals=False,
    )
    app.command("list")(listed)
    app.command()(call)
    add_admin_commands(app)
    return app


def listed(json: JsonOption = False, base_url: BaseUrlOption = None, api_key: ApiKeyOption = None) -> None:
    """List the tools that you may use, with their arguments."""
    with AutoClient(api_key, base_url) as client:
        found = client.tools.list()
    if json:
        typer.echo(found.model_dump_json())
        return
    print_table(
        (whole("tool"), "arguments", "what it does"),
        [(card.name, arguments(card), card.description) for card in found.data],
    )


def call(
    name: Annotated[str, typer.Argument(help="The tool.")],
    given: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Its arguments: JSON where the value is some, else a text."),
    ] = None,
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Call a tool once and print its result."""
    values = parsed(given or [])
    with AutoClient(api_key, base_url) as client:
        answer = client.tools.call(name, **values)
    if json:
        typer.echo(answer.model_dump_json())
    else:
        typer.echo(
            answer.result if isinstance(answer.result, str) else jsonlib.dumps(answer.result, ensure_ascii=False)
        )


def arguments(card: ToolCard) -> str:
    """The names of a tool's arguments; those that may be left out have a question mark."""
    required = card.parameters.get("required", ())
    return ", ".join(name if name in required else f"{name}?" for name in card.parameters.get("properties", {}))


def parsed(words: list[str]) -> dict[str, Any]:
    """The arguments of a call: `days=3` is a number, `text='"3"'` and `text=three` are texts.

    Raises:
        typer.BadParameter: a word has no `=`, or a key comes twice.
    """
    found: dict[str, Any] = {}
    for word in words:
        key, separator, value = word.partition("=")
        if not (key and separator):
            raise typer.BadParameter(f"got {word!r}; give arguments as KEY=VALUE")
        if key in found:
            raise typer.BadParameter(f"{key}: given twice")
        found[key] = read(value)
    return found


def read(value: str) -> Any:
    """JSON where it is some, else the text."""
    try:
        return jsonlib.loads(value)
    except ValueError:
        return value
