"""Circuit breakers that an administrator holds open or closed: their rows. Each router replica has the breakers."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from autoglm.contract.breaker import BreakerControl, BreakerHold
from cluster.control import epoch, upsert
from cluster.control.tables import HoldRow


def put(session: Session, name: str, version: str, state: BreakerControl) -> BreakerHold:
    """Hold a version's breaker, or have it decide by itself again."""
    if state == "automatic":
        release(session, name, version)
    else:
        upsert.put(session, HoldRow, {"name": name, "version": version}, {"state": state})
        epoch.advance(session)
    return BreakerHold(name=name, version=version, state=state)


def release(session: Session, name: str, version: str) -> None:
    """Hold a version's breaker no more, if it was held."""
    session.execute(delete(HoldRow).where(HoldRow.name == name, HoldRow.version == version))
    epoch.advance(session)


def is_held(session: Session, name: str, version: str) -> bool:
    """Whether a version's breaker is held, be it declared still or not."""
    return session.get(HoldRow, (name, version)) is not None


def all(session: Session) -> tuple[BreakerHold, ...]:
    """Those that are held, by name and version."""
    rows = session.scalars(select(HoldRow).order_by(HoldRow.name, HoldRow.version))
    return tuple(BreakerHold(name=row.name, version=row.version, state=row.state) for row in rows)
