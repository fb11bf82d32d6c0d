"""`autoglm users …`: who may log in with a password."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from autoglm.cli.credential import ModelOption, ScopeOption, TenantOption, given_scopes
from autoglm.cli.options import ApiKeyOption, BaseUrlOption, JsonOption
from autoglm.cli.output import print_table, shown_moment, whole
from autoglm.client import AutoClient
from autoglm.contract import UserCard, UserList
from autoglm.contract.user import MAX_PASSWORD, MIN_PASSWORD


def user_commands() -> typer.Typer:
    """The commands of `autoglm users`."""
    app = typer.Typer(
        help="Make, list and delete users of HTTP Basic; needs the scope admin.",
        no_args_is_help=True,
        pretty_exceptions_show_locals=False,
    )
    app.command("create")(create)
    app.command("list")(listed)
    app.command("delete")(delete)
    return app


def create(
    name: Annotated[str, typer.Argument(help="The name to log in with.")],
    scope: ScopeOption = None,
    tenant: TenantOption = "default",
    model: ModelOption = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from a pipe.")] = False,
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Make a user. The password is asked for twice and not shown, or read from a pipe."""
    scopes = given_scopes(scope)
    password = piped_password() if password_stdin else asked_password()
    with AutoClient(api_key, base_url) as client:
        made = client.admin.create_user(name, password, scopes=scopes, tenant=tenant, models=model)
    typer.echo(made.model_dump_json() if json else f"{made.name}: tenant {made.tenant}, scopes {', '.join(scopes)}")


def listed(json: JsonOption = False, base_url: BaseUrlOption = None, api_key: ApiKeyOption = None) -> None:
    """List the users by name."""
    with AutoClient(api_key, base_url) as client:
        found = UserList(data=tuple(client.admin.users()))
    if json:
        typer.echo(found.model_dump_json())
        return
    print_table((whole("name"), "tenant", "scopes", "models", "created"), [cells(user) for user in found.data])


def delete(
    name: Annotated[str, typer.Argument(help="The user's name.")],
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Take a user away."""
    with AutoClient(api_key, base_url) as client:
        gone = client.admin.delete_user(name)
    typer.echo(gone.model_dump_json() if json else f"{gone.name}: deleted")


def asked_password() -> str:
    """Typed twice, unseen."""
    text = f"Password ({MIN_PASSWORD} to {MAX_PASSWORD} characters)"
    return checked(typer.prompt(text, hide_input=True, confirmation_prompt=True, err=True))


def piped_password() -> str:
    """All of stdin but the line end that a pipe adds.

    Raises:
        typer.BadParameter: it is no UTF-8, or not of the right length. The message does not show it.
    """
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise typer.BadParameter("got bytes that are no UTF-8; a password in UTF-8 does") from None
    return checked(text.removesuffix("\n").removesuffix("\r"))


def checked(password: str) -> str:
    """The password, if it is of the right length.

    Raises:
        typer.BadParameter: it is not. The message does not show it.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise typer.BadParameter(f"got a password of {len(password)} characters; {MIN_PASSWORD} to {MAX_PASSWORD} do")
    return password


def cells(user: UserCard) -> tuple[str, ...]:
    """A user's row."""
    models = "all" if user.models is None else ", ".join(user.models)
    return user.name, user.tenant, ", ".join(map(str, user.scopes)), models, shown_moment(user.created)
