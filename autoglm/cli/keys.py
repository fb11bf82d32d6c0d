"""`autoglm keys …`: API keys."""

from __future__ import annotations

from typing import Annotated

import typer

from autoglm.cli.credential import ExpiresOption, ModelOption, ScopeOption, TenantOption, given_scopes
from autoglm.cli.options import ApiKeyOption, BaseUrlOption, JsonOption
from autoglm.cli.output import print_table, shown_moment, whole
from autoglm.client import AutoClient
from autoglm.contract import KeyCard, KeyList


def key_commands() -> typer.Typer:
    """The commands of `autoglm keys`."""
    app = typer.Typer(
        help="Make, list and revoke API keys; needs the scope admin.",
        no_args_is_help=True,
        pretty_exceptions_show_locals=False,
    )
    app.command("create")(create)
    app.command("list")(listed)
    app.command("revoke")(revoke)
    return app


def create(
    name: Annotated[str, typer.Argument(help="What people know it by.")],
    scope: ScopeOption = None,
    tenant: TenantOption = "default",
    model: ModelOption = None,
    expires: ExpiresOption = None,
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Make a key. Its secret is printed, alone on stdout, this once."""
    scopes = given_scopes(scope)
    with AutoClient(api_key, base_url) as client:
        made = client.admin.create_key(name, scopes=scopes, tenant=tenant, models=model, expires=expires)
    if json:
        typer.echo(made.model_dump_json())
        return
    typer.echo(f"{made.id}: tenant {made.tenant}, scopes {', '.join(scopes)}, expires {until(made)}", err=True)
    typer.echo(made.secret)
    typer.echo("Keep the secret now: it will not be shown again.", err=True)


def listed(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """List the keys, the newest first."""
    with AutoClient(api_key, base_url) as client:
        found = KeyList(data=tuple(client.admin.keys(tenant)))
    if json:
        typer.echo(found.model_dump_json())
        return
    columns = (whole("id"), "name", "tenant", "scopes", "models", "state")
    print_table(columns, [cells(key) for key in found.data])


def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id that `list` shows, key_….")],
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """End a key for good."""
    with AutoClient(api_key, base_url) as client:
        ended = client.admin.revoke_key(key_id)
    typer.echo(ended.model_dump_json() if json else f"{ended.id} ({ended.name}): {state(ended)}")


def cells(key: KeyCard) -> tuple[str, ...]:
    """A key's row."""
    models = "all" if key.models is None else ", ".join(key.models)
    return key.id, key.name, key.tenant, ", ".join(map(str, key.scopes)), models, state(key)


def state(key: KeyCard) -> str:
    """Whether it was revoked, else until when it lives."""
    return f"revoked {shown_moment(key.revoked)}" if key.revoked else f"expires {until(key)}"


def until(key: KeyCard) -> str:
    """When it expires."""
    return shown_moment(key.expires) or "never"
