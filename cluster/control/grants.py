"""Grants: which tools a key or a tenant may use. Those of the operator's file have no rows."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from autoglm.contract.grant import Grant, GrantCard, GrantKind
from autoglm.errors import ConflictError, NotFoundError
from cluster.control import epoch
from cluster.control.tables import GrantRow
from deployments.tools.grants import check_patterns

ID_BYTES = 10
MAX_GRANTS = 10_000  # every router replica and planner holds all of them


def create(session: Session, grant: Grant, now: datetime) -> GrantCard:
    """A new grant. Its key or tenant need not be there yet: without one it allows nothing.

    Raises:
        UnprocessableEntityError: a pattern is none.
        ConflictError: there are `MAX_GRANTS` already.
    """
    check_patterns(grant)
    if session.scalars(select(func.count()).select_from(GrantRow)).one() >= MAX_GRANTS:
        raise ConflictError(f"grants: there are {MAX_GRANTS:,}, the most; grant to tenants, or tools by a pattern")
    row = GrantRow(id="grant_" + secrets.token_hex(ID_BYTES), created=now, **grant.model_dump())
    session.add(row)
    session.flush()
    epoch.advance(session)
    return card(row)


def delete(session: Session, grant_id: str) -> GrantCard:
    """The grant that was taken away.

    Raises:
        NotFoundError: there is none of this id.
    """
    row = found(session, grant_id)
    session.delete(row)
    session.flush()
    epoch.advance(session)
    return card(row)


def found(session: Session, grant_id: str) -> GrantRow:
    """The grant of this id; raises NotFoundError where there is none."""
    row = session.get(GrantRow, grant_id)
    if row is None:
        raise NotFoundError("grant: there is none of this id; GET /admin/v1/grants lists them", param="grant")
    return row


def page(
    session: Session, *, kind: GrantKind | None, subject: str | None, after: str | None, limit: int
) -> list[GrantCard]:
    """At most `limit` grants, the newest first, of a kind and a subject if given, from the one behind `after`.

    Raises:
        NotFoundError: there is no grant `after`.
    """
    query = select(GrantRow).order_by(GrantRow.created.desc(), GrantRow.id.desc()).limit(limit)
    if kind is not None:
        query = query.where(GrantRow.kind == kind)
    if subject is not None:
        query = query.where(GrantRow.subject == subject)
    if after is not None:
        last = found(session, after)
        query = query.where(tuple_(GrantRow.created, GrantRow.id) < (last.created, last.id))
    return [card(row) for row in session.scalars(query)]


def all(session: Session) -> tuple[Grant, ...]:
    """Every grant, the oldest first."""
    return tuple(grant(row) for row in session.scalars(select(GrantRow).order_by(GrantRow.created, GrantRow.id)))


def card(row: GrantRow) -> GrantCard:
    """A grant as it is listed."""
    return GrantCard(id=row.id, grant=grant(row), created=row.created)


def grant(row: GrantRow) -> Grant:
    """What is granted."""
    return Grant.model_validate({name: getattr(row, name) for name in Grant.model_fields})
