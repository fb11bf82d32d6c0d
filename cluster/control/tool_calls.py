"""The calls of tools, kept beside the audit: as unchangeable, and too many to be kept for ever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from autoglm.contract.tool_call import ToolCallRecord
from cluster.control import audit, upsert
from cluster.control.audit import Actor
from cluster.control.tables import ToolCallRow
from deployments.redaction import cleaned
from deployments.tools.call_log import CallEntry

KEPT = 1_000_000  # the newest; triggers refuse to delete one of them


def add(session: Session, entries: Sequence[CallEntry], lost: int, now: datetime) -> None:
    """Keep a replica's entries, each once however often it is sent; and in the audit, how many it has lost."""
    if lost:
        audit.record(session, Actor("control"), "tools.calls_lost", "tool-calls", {"count": lost}, now)
    known = set(session.scalars(select(ToolCallRow.entry).where(ToolCallRow.entry.in_([e.id for e in entries]))))
    upsert.ensure_all(session, ToolCallRow, [values(entry) for entry in entries if entry.id not in known])
    newest = select(func.max(ToolCallRow.id) - KEPT).scalar_subquery()
    session.execute(delete(ToolCallRow).where(ToolCallRow.id <= newest))


def values(entry: CallEntry) -> dict[str, object]:
    """An entry's row. What it says is cut and without secrets already, unless its replica is another version's."""
    return {
        "entry": entry.id[:32],
        "at": entry.at,
        "caller": cleaned(entry.caller)[:200],
        "tenant": entry.tenant[:64],
        "tool": entry.tool[:64],
        "key": entry.key[:255],
        "digest": entry.digest[:64],
        "preview": cleaned(entry.preview),
        "outcome": entry.outcome[:30],
        "seconds": entry.seconds,
    }


def page(session: Session, *, tenant: str | None, before: int | None, limit: int) -> list[ToolCallRecord]:
    """At most `limit` calls, a tenant's if given, the newest first, from the one before the call `before`."""
    query = select(ToolCallRow).order_by(ToolCallRow.id.desc()).limit(limit)
    if tenant is not None:
        query = query.where(ToolCallRow.tenant == tenant)
    if before is not None:
        query = query.where(ToolCallRow.id < before)
    return [record(row) for row in session.scalars(query)]


def record(row: ToolCallRow) -> ToolCallRecord:
    """A call as it is told."""
    return ToolCallRecord.model_validate({name: getattr(row, name) for name in ToolCallRecord.model_fields})
