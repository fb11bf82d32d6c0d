"""`autoglm quota …`: how much a key or a tenant may use."""

from __future__ import annotations

from typing import Annotated

import typer

from autoglm.cli.options import ApiKeyOption, BaseUrlOption, JsonOption
from autoglm.cli.output import print_table, whole
from autoglm.client import AutoClient
from autoglm.contract import QuotaCard, QuotaList, QuotaRequest
from autoglm.contract.quota import QuotaKind

LIMITS = tuple(QuotaRequest.model_fields)
LimitOption = Annotated[int | None, typer.Option(min=0, show_default=False)]


def quota_commands() -> typer.Typer:
    """The commands of `autoglm quota`."""
    app = typer.Typer(
        help="Limit what a key or a tenant may use; needs the scope admin.",
        no_args_is_help=True,
        pretty_exceptions_show_locals=False,
    )
    app.command("set")(put)
    app.command("list")(listed)
    return app


def put(
    kind: Annotated[QuotaKind, typer.Argument(help="What is limited.")],
    subject: Annotated[str, typer.Argument(help="The key's id, or the tenant's name.")],
    requests_per_minute: LimitOption = None,
    tokens_per_minute: LimitOption = None,
    requests_per_day: LimitOption = None,
    tokens_per_day: LimitOption = None,
    budget: Annotated[
        float | None, typer.Option(min=0, show_default=False, help="For ever, in the currency of the prices.")
    ] = None,
    json: JsonOption = False,
    base_url: BaseUrlOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Set all limits of a key or a tenant: one that is not given is none. Minutes and days are UTC's."""
    with AutoClient(api_key, base_url) as client:
        card = client.admin.set_quota(
            kind,
            subject,
            requests_per_minute=requests_per_minute,
            tokens_per_minute=tokens_per_minute,
            requests_per_day=requests_per_day,
            tokens_per_day=tokens_per_day,
            budget=budget,
        )
    typer.echo(card.model_dump_json() if json else f"{card.kind} {card.subject}: {limits(card)}")


def listed(json: JsonOption = False, base_url: BaseUrlOption = None, api_key: ApiKeyOption = None) -> None:
    """List the quotas by kind and subject."""
    with AutoClient(api_key, base_url) as client:
        found = QuotaList(data=tuple(client.admin.quotas()))
    if json:
        typer.echo(found.model_dump_json())
        return
    print_table(("kind", whole("subject"), "limits"), [(card.kind, card.subject, limits(card)) for card in found.data])


def limits(card: QuotaCard) -> str:
    """The limits that are set."""
    values = {name: getattr(card, name) for name in LIMITS}
    return ", ".join(f"{name} {value:,}" for name, value in values.items() if value is not None) or "no limit"
