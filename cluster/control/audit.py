"""The audit: every administrative action, appended and never changed. Secrets are taken out before they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from autoglm.contract.audit import AuditEntry
from cluster.control.tables import Audit
from deployments.redaction import cleaned, without_secrets


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and from which address."""

    name: str
    address: str = ""


def record(session: Session, actor: Actor, action: str, subject: str, detail: Mapping[str, Any], now: datetime) -> None:
    """Append an entry, in the transaction of the action itself: there is neither without the other.

    `action` is such as `keys.create`, `subject` what it was done to; `detail` is JSON, shortened where it is long.
    """
    session.add(
        Audit(
            at=now,
            actor=cleaned(actor.name)[:200],
            action=action,
            object=cleaned(subject)[:200],
            detail=without_secrets(dict(detail)),
            address=actor.address[:100],
        )
    )
    session.flush()


def page(session: Session, *, before: int | None, limit: int) -> list[AuditEntry]:
    """At most `limit` entries, the newest first, from the one before the entry `before`."""
    query = select(Audit).order_by(Audit.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Audit.id < before)
    return [entry(row) for row in session.scalars(query)]


def entry(row: Audit) -> AuditEntry:
    """An entry as it is told."""
    return AuditEntry(
        id=row.id,
        at=row.at,
        actor=row.actor,
        action=row.action,
        object=row.object,
        detail=row.detail,
        address=row.address,
    )
