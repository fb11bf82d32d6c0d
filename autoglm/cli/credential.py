"""The options of what a new key or user may do, until when, and who pays."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from autoglm.contract.scope import KNOWN, PATTERN

_DAYS = re.compile(r"(\d{1,5})d")
_SCOPES = ", ".join(KNOWN)


def scope(word: str) -> str:
    """A scope as it was given.

    Raises:
        typer.BadParameter: there is none of this name; the message lists all.
    """
    if not re.fullmatch(PATTERN, word):
        raise typer.BadParameter(f"got {word!r}; known: {_SCOPES}")
    return word


def given_scopes(scopes: list[str] | None) -> list[str]:
    """The scopes, at least one.

    Raises:
        typer.BadParameter: there is none; the message lists all.
    """
    if not scopes:
        raise typer.BadParameter(f"got no --scope; give one or more of: {_SCOPES}")
    return scopes


def expiry(word: str) -> datetime:
    """The moment that is meant, in UTC unless it has another time zone.

    Raises:
        typer.BadParameter: it is neither a number of days nor a date.
    """
    if days := _DAYS.fullmatch(word):
        return datetime.now(UTC) + timedelta(days=int(days[1]))
    try:
        moment = datetime.fromisoformat(word)
    except ValueError as error:
        raise typer.BadParameter(f"got {word!r}; days such as 30d, or a date such as 2026-12-31, do") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


ScopeOption = Annotated[
    list[str] | None,
    typer.Option("--scope", parser=scope, metavar="SCOPE", help=f"What it may do, once for each: {_SCOPES}."),
]
TenantOption = Annotated[str, typer.Option(help="Who pays.")]
ModelOption = Annotated[
    list[str] | None,
    typer.Option("--model", metavar="MODEL", help="A model or task it may use, once for each; else all."),
]
ExpiresOption = Annotated[
    datetime | None,
    typer.Option(parser=expiry, metavar="30d|DATE", help="Days from now, or the date (in UTC) on which it is over."),
]
