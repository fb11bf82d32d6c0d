"""Entries of tools that were registered on the running cluster. Those of the operator's file have no rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from autoglm.contract.tool_registration import ToolRegistration
from autoglm.errors import ConfigError, ConflictError, NotFoundError
from cluster.control import epoch, upsert
from cluster.control.tables import ToolRow
from deployments.tools.config import read_entry

MAX_TOOLS = 1_000  # entries; each may have many tools


def put(session: Session, name: str, entry: dict[str, Any], now: datetime) -> ToolRegistration:
    """Register an entry under its name, or another one in its place.

    Raises:
        ConflictError: there are `MAX_TOOLS` already.
    """
    row = session.get(ToolRow, name)
    if row is None and session.scalars(select(func.count()).select_from(ToolRow)).one() >= MAX_TOOLS:
        raise ConflictError(f"tools: {MAX_TOOLS:,} are registered, the most; delete one")
    created = now if row is None else row.created
    upsert.put(session, ToolRow, {"name": name}, {"entry": entry, "created": created})
    epoch.advance(session)
    return ToolRegistration(name=name, entry=entry, created=created)


def delete(session: Session, name: str) -> ToolRegistration:
    """The entry that was taken out.

    Raises:
        NotFoundError: there is none of this name.
    """
    row = session.get(ToolRow, name)
    if row is None:
        raise NotFoundError(f"tool: {name} is not registered; GET /admin/v1/tools lists what is", param="name")
    session.delete(row)
    session.flush()
    epoch.advance(session)
    return card(row)


def page(session: Session, *, after: str | None, limit: int) -> list[ToolRegistration]:
    """At most `limit` entries by name, from the one behind `after`."""
    query = select(ToolRow).order_by(ToolRow.name).limit(limit)
    if after is not None:
        query = query.where(ToolRow.name > after)
    return [card(row) for row in session.scalars(query)]


def all(session: Session) -> tuple[tuple[dict[str, Any], ...], dict[str, str]]:
    """Every entry that this program can read, by name; and why it cannot read the others, by theirs."""
    cards = [card(row) for row in session.scalars(select(ToolRow).order_by(ToolRow.name))]
    broken = {one.name: one.message for one in cards if one.status == "failed"}
    return tuple(one.entry for one in cards if one.name not in broken), broken


def card(row: ToolRow) -> ToolRegistration:
    """An entry as it is listed; it has failed already where another version of this program has stored it."""
    registration = ToolRegistration(name=row.name, entry=row.entry, created=row.created)
    try:
        read_entry(row.entry)
    except ConfigError as fault:
        return registration.model_copy(update={"status": "failed", "message": fault.message})
    return registration
