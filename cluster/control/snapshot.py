"""What the routers get: every credential that is live now, and every quota."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from cluster.control import basic, epoch, keys
from cluster.control.tables import Key, Quota, User
from deployments.access.snapshot import Snapshot
from deployments.quota.view import QuotaView
from deployments.quota.windows import LIMITS


def take(session: Session, now: datetime) -> Snapshot:
    """All keys that are neither revoked nor expired, and all users, with the epoch of their last change.

    `session` is a reading one, which sees all of it at one moment.
    """
    live = select(Key).where(Key.revoked.is_(None), or_(Key.expires.is_(None), Key.expires > now)).order_by(Key.id)
    users = select(User).order_by(User.name)
    return Snapshot(
        epoch=epoch.current(session),
        keys=tuple(keys.view(key) for key in session.scalars(live)),
        users=tuple(basic.view(user) for user in session.scalars(users)),
    )


def quotas(session: Session) -> tuple[QuotaView, ...]:
    """All quotas that limit anything, by kind and subject; the epoch of `take` counts their changes too."""
    limiting = or_(*(getattr(Quota, limit.name).is_not(None) for limit in LIMITS))
    rows = session.scalars(select(Quota).where(limiting).order_by(Quota.kind, Quota.subject))
    return tuple(
        QuotaView.model_validate({name: getattr(row, name) for name in QuotaView.model_fields}) for row in rows
    )
