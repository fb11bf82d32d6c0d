"""The snapshot that the routers get: every credential that is live now."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from cluster.control import basic, epoch, keys
from cluster.control.tables import Key, User
from deployments.access.snapshot import Snapshot


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
