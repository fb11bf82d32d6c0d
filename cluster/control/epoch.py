"""How many changes there have been of all that routers, planner and tool hosts are told of."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cluster.control.tables import Epoch


def advance(session: Session) -> None:
    """Count a change, in the transaction that makes it: whoever sees the one sees the other."""
    session.execute(update(Epoch).values(number=Epoch.number + 1))


def current(session: Session) -> int:
    """The number of changes so far."""
    return session.scalars(select(Epoch.number)).one()
