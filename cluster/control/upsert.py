"""`INSERT … ON CONFLICT`, which SQLite and PostgreSQL spell alike and SQLAlchemy keeps in two places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cluster.control.tables import Base


def add_counts(session: Session, table: type[Base], row: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    """Add to the numbers of one row, which `row` names by its primary key; made with them if it is not there."""
    insert = insert_into(session, table).values(**row, **counts)
    sums = {name: getattr(table, name) + insert.excluded[name] for name in counts}
    session.execute(insert.on_conflict_do_update(index_elements=primary_key(table), set_=sums))


def put(session: Session, table: type[Base], row: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Set the values of one row, which `row` names by its primary key; made with them if it is not there."""
    insert = insert_into(session, table).values(**row, **values)
    session.execute(insert.on_conflict_do_update(index_elements=primary_key(table), set_=dict(values)))


def ensure(session: Session, table: type[Base], values: Mapping[str, Any]) -> bool:
    """Make the row unless it is there; whether it was made."""
    insert = insert_into(session, table).values(**values).on_conflict_do_nothing()
    return session.scalar(insert.returning(inspect(table).primary_key[0])) is not None


def ensure_all(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Make those of the rows that are not there."""
    if rows:
        session.execute(insert_into(session, table).values(list(rows)).on_conflict_do_nothing())


def insert_into(session: Session, table: type[Base]) -> Any:
    """The dialect's own INSERT."""
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    return postgresql.insert(table) if on_postgresql else sqlite.insert(table)


def primary_key(table: type[Base]) -> list[str]:
    """The names of the columns that tell rows apart."""
    return [column.name for column in inspect(table).primary_key]
