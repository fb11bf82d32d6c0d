"""The audit: every administrative action, appended and never changed. Secrets are taken out before they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from autoglm.contract.audit import AuditEntry
from cluster.control.tables import Audit

SECRET_NAMES = re.compile(r"password|secret|token$|authorization|hash|digest", re.IGNORECASE)
SECRET_TEXT = re.compile(r"(ag_[A-Za-z0-9]{8})[A-Za-z0-9_-]{16,}|\$argon2[^\s]*|(Bearer|Basic)\s+\S+", re.IGNORECASE)
HIDDEN = "[hidden]"
MAX_TEXT = 500  # characters of one value
MAX_ITEMS = 100  # of one list or mapping
MAX_DEPTH = 4


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


def without_secrets(value: Any, depth: int = 0) -> Any:
    """The same JSON without what looks like a secret, by its name or by its form."""
    if depth > MAX_DEPTH:
        return HIDDEN
    if isinstance(value, Mapping):
        return {
            cleaned(str(name)): HIDDEN if SECRET_NAMES.search(str(name)) else without_secrets(item, depth + 1)
            for name, item in list(value.items())[:MAX_ITEMS]
        }
    if isinstance(value, list | tuple):
        return [without_secrets(item, depth + 1) for item in value[:MAX_ITEMS]]
    return value if value is None or isinstance(value, bool | int | float) else cleaned(str(value))


def cleaned(text: str) -> str:
    """A text without keys' secrets, passwords' hashes and credentials' headers."""
    return SECRET_TEXT.sub(lambda found: (found[1] or "") + HIDDEN, text)[:MAX_TEXT]


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
