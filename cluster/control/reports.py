"""Which reports of the router replicas were booked: a replica that heard no answer sends its report again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cluster.control import upsert
from cluster.control.tables import ReportRow

KEPT = timedelta(days=2)  # a report that was booked longer ago is not sent again
CLEARED_AT_ONCE = 100


def is_first(session: Session, report: str, now: datetime) -> bool:
    """Note the report; whether it was not noted before. Another that brings it now waits for this transaction's end."""
    if not upsert.ensure(session, ReportRow, {"id": report, "at": now}):
        return False
    # On PostgreSQL two that clear away the same rows in another order would wait for each other.
    old = select(ReportRow.id).where(ReportRow.at < now - KEPT).limit(CLEARED_AT_ONCE).with_for_update(skip_locked=True)
    session.execute(delete(ReportRow).where(ReportRow.id.in_(old)), execution_options={"synchronize_session": False})
    return True
