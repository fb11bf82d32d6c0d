"""`autoglm grants …`: which tools a key or a tenant may use."""

from __future__ import annotations

from typing import Annotated

import typer

from autoglm.cli.options import ApiKeyOption, BaseUrlOption, JsonOption
from autoglm.cli.output import print_table, whole
from autoglm.client import AutoClient
from autoglm.contract import Grant, GrantCard, GrantList
from autoglm.contract.grant import GrantKind


def grant_commands() -> typer.Typer:
    """The commands of `autoglm grants`."""
    app = typer.Typer(
        help="Let a key or a tenant use tools; needs the scope admin.",
        no_args_is_help=True,
        pretty_exceptions_show_locals=False,
    )
    app.command("add")(add)
    app.command("list")(listed)
    app.command("delete")(delete)
    return app


def add(
    kind: Annotated[GrantKind, typer.Argument(help="Who may.")],
    subject: Annotated[str, typer.Argument(help="The key's id, or the tenant's name.")],
    tool: Annotated[str, typer.Argument(help="The tool; files.* is all whose names begin so, and * all.")],
    argument: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PATTERN", help="What an argument must be: a regular expression for all of it."),
    ] = None,
    calls_per_minute: Annotated[int | None, typer.Option(min=1, show_default=False, help="On each replica.")] = None,
    needs_approval: Annotated[bool, typer.Option("--needs-approval", help="A person must approve each call.")] = False,
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Let a key or a tenant use a tool, besides what it may use already."""
    patterns = given_patterns(argument or [])
    with AutoClient(api_key, base_url) as client:
        made = client.admin.create_grant(
            kind,
            subject,
            tool,
            arguments=patterns,
            calls_per_minute=calls_per_minute,
            needs_approval=needs_approval,
        )
    typer.echo(made.model_dump_json() if json else f"{made.id}: {told(made.grant)}")


def listed(
    kind: Annotated[GrantKind | None, typer.Option(help="Only of keys, or of tenants.", show_default=False)] = None,
    subject: Annotated[str | None, typer.Option(help="Only of this key or tenant.", show_default=False)] = None,
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """List the grants, the newest first; those of the cluster's file are not among them."""
    with AutoClient(api_key, base_url) as client:
        found = GrantList(data=tuple(client.admin.grants(kind, subject)))
    if json:
        typer.echo(found.model_dump_json())
        return
    print_table((whole("id"), "who", whole("tool"), "conditions"), [cells(card) for card in found.data])


def delete(
    grant_id: Annotated[str, typer.Argument(metavar="ID", help="The id that `list` shows, grant_….")],
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Take a grant away, from runs that are under way too."""
    with AutoClient(api_key, base_url) as client:
        gone = client.admin.delete_grant(grant_id)
    typer.echo(gone.model_dump_json() if json else f"{gone.id} is no more: {told(gone.grant)}")


def given_patterns(words: list[str]) -> dict[str, str]:
    """Patterns by the argument's name.

    Raises:
        typer.BadParameter: a word has no `=`, or names an argument a second time.
    """
    patterns: dict[str, str] = {}
    for word in words:
        name, is_pair, pattern = word.partition("=")
        if not (name and is_pair) or name in patterns:
            raise typer.BadParameter(f"--argument: got {word!r}; give NAME=PATTERN, once for each argument")
        patterns[name] = pattern
    return patterns


def cells(card: GrantCard) -> tuple[str, ...]:
    """A grant's row."""
    return card.id, f"{card.grant.kind} {card.grant.subject}", card.grant.tool, conditions(card.grant)


def told(grant: Grant) -> str:
    """A grant in words."""
    whole_grant = f"{grant.kind} {grant.subject} may use {grant.tool}"
    return f"{whole_grant}, {limits}" if (limits := conditions(grant)) else whole_grant


def conditions(grant: Grant) -> str:
    """What bounds a grant; empty where nothing does."""
    return ", ".join(
        [
            *(f"{name} = {pattern}" for name, pattern in grant.arguments.items()),
            *([f"{grant.calls_per_minute:,} calls a minute"] if grant.calls_per_minute else []),
            *(["with approval"] if grant.needs_approval else []),
        ]
    )
