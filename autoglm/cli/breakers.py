"""`autoglm breakers …`: what the routers' circuit breakers are at, and holding one by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from autoglm.cli.options import ApiKeyOption, BaseUrlOption, JsonOption
from autoglm.cli.output import print_table, whole
from autoglm.client import AutoClient
from autoglm.contract import BreakerCard, BreakerList
from autoglm.contract.breaker import BreakerControl

NameArgument = Annotated[str, typer.Argument(help="The model or task.")]
VersionArgument = Annotated[str, typer.Argument(help="Its version.")]

NUMBERS = ("calls", "failed", "slow", "refused")


class ListingGroup(TyperGroup):
    """Lists where no command is given; options that stand alone are then those of `list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The words after the group's name."""
        is_list = not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names)
        return super().parse_args(ctx, ["list", *args] if is_list else args)


def breaker_commands() -> typer.Typer:
    """The commands of `autoglm breakers`."""
    app = typer.Typer(
        cls=ListingGroup,
        help="Show the routers' circuit breakers, and hold one by hand; needs the scope admin.",
        pretty_exceptions_show_locals=False,
    )
    app.command("list")(listed)
    app.command("open")(holding("open", "Hold a breaker open: no request reaches the version."))
    app.command("close")(
        holding("closed", "Hold a breaker closed: every request reaches the version, whatever comes of it.")
    )
    app.command("automatic")(holding("automatic", "Let a breaker decide by itself again."))
    return app


def listed(json: JsonOption = False, base_url: BaseUrlOption = None, api_key: ApiKeyOption = None) -> None:
    """List the breakers by name and version, as each router replica sees them."""
    with AutoClient(api_key, base_url) as client:
        found = client.admin.breakers()
    if json:
        typer.echo(found.model_dump_json())
        return
    names = (whole(name) for name in ("name", "version", "router", "state"))
    print_table((*names, *NUMBERS), [cells(card) for card in found.data])
    for line in notes(found):
        typer.echo(line, err=True)


def holding(state: BreakerControl, summary: str) -> Callable[..., None]:
    """The command that sets a breaker to a state and says so."""

    def hold(
        name: NameArgument,
        version: VersionArgument,
        json: JsonOption = False,
        base_url: BaseUrlOption = None,
        api_key: ApiKeyOption = None,
    ) -> None:
        with AutoClient(api_key, base_url) as client:
            card = client.admin.hold_breaker(name, version, state)
        typer.echo(card.model_dump_json() if json else f"{card.name} {card.version}: {card.state}")

    hold.__doc__ = summary
    return hold


def cells(card: BreakerCard) -> tuple[str, ...]:
    """A breaker's row."""
    state = card.state.replace("_", "-") + (", held" if card.forced else "")
    rates = shown_rate(card.failure_rate), shown_rate(card.slow_rate)
    return card.name, card.version, card.replica, state, str(card.calls), *rates, str(card.refused)


def shown_rate(rate: float | None) -> str:
    """A share in percent; empty where there were no calls."""
    return "" if rate is None else f"{rate:.0%}"


def notes(found: BreakerList) -> list[str]:
    """What the table does not show: routers that are silent, and holds of what is not declared any more."""
    silent = found.replicas - found.answered
    declared = {(card.name, card.version) for card in found.data}
    gone = [hold for hold in found.held if (hold.name, hold.version) not in declared]
    return [
        *([f"{silent} of {found.replicas} router replicas did not answer"] if silent else []),
        *(f"{hold.name} {hold.version} is held {hold.state} and not declared" for hold in gone),
    ]
