"""Versions of tasks that were registered on the running cluster: their rows. `store` has the files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from autoglm.contract import TaskConfig
from autoglm.errors import ConflictError, NotFoundError
from autoglm.tasks.saved import fitted_in
from cluster.control import holds
from cluster.control.store import Store
from cluster.control.tables import Registration
from cluster.control.verification import Content

DIGEST = "sha256:"  # how a registration's source begins: the content that it was made from


@dataclass(frozen=True, slots=True)
class Registered:
    """A version as it is to be deployed; `folder` holds what was fitted, and `declaration` the labels where known."""

    name: str
    version: str
    declaration: TaskConfig
    folder: Path

    @property
    def fitted(self) -> Path | None:
        """The head's file or the model's folder; None where nothing was fitted."""
        return fitted_in(self.folder)

    @property
    def labels(self) -> tuple[str, ...] | None:
        """In the order of the scores."""
        return None if self.declaration.labels is None else tuple(self.declaration.labels)


def put(session: Session, name: str, version: str, content: Content, now: datetime) -> tuple[Registration, bool]:
    """The version's row, and whether it is new.

    Raises:
        ConflictError: the version exists with other content, or another one bears the application's name.
    """
    row = session.get(Registration, (name, version))
    if row is not None:
        if sha256(row) != content.sha256:
            raise ConflictError(
                f"version: {name} {version} is registered with other content; take another version, or delete it first",
                param="version",
            )
        return row, False
    check_application(session, name, version)
    row = Registration(
        name=name,
        version=version,
        declaration=content.declaration.model_dump(mode="json", exclude_unset=True),
        source=DIGEST + content.sha256,
        created=now,
    )
    session.add(row)
    session.flush()
    return row, True


def check_application(session: Session, name: str, version: str) -> None:
    """Raises ConflictError where another version's application is called the same, as a-b of c and a of b-c are."""
    taken = select(Registration).where(Registration.name + "-" + Registration.version == f"{name}-{version}")
    if (other := session.scalars(taken).first()) is not None:
        raise ConflictError(
            f"version: {name} {version} and {other.name} {other.version} would make one application; "
            "take another version",
            param="version",
        )


def find(session: Session, name: str, version: str) -> Registration:
    """The row of a version.

    Raises:
        NotFoundError: there is none.
    """
    row = session.get(Registration, (name, version))
    if row is None:
        raise NotFoundError(
            f"version: {name} {version} is not registered; GET /admin/v1/tasks lists what is", param="version"
        )
    return row


def delete(session: Session, name: str, version: str) -> Registration:
    """The row that was taken out; a later version of its name is another one, whose breaker nobody holds.

    Raises:
        NotFoundError: there is none.
    """
    row = find(session, name, version)
    session.delete(row)
    session.flush()
    holds.release(session, name, version)
    return row


def page(session: Session, *, name: str | None, after: tuple[str, str] | None, limit: int) -> list[Registration]:
    """At most `limit` rows by name and version, of one name if given, from the one behind `after`."""
    query = select(Registration).order_by(Registration.name, Registration.version).limit(limit)
    if name is not None:
        query = query.where(Registration.name == name)
    if after is not None:
        query = query.where(tuple_(Registration.name, Registration.version) > after)
    return list(session.scalars(query))


def all(session: Session, store: Store) -> list[Registered]:
    """Every version, the oldest first."""
    query = select(Registration).order_by(Registration.created, Registration.name, Registration.version)
    return [registered(row, store) for row in session.scalars(query)]


def registered(row: Registration, store: Store) -> Registered:
    """A row with its files."""
    declaration = TaskConfig.model_validate(row.declaration)
    return Registered(row.name, row.version, declaration, store.folder(row.name, row.version))


def sha256(row: Registration) -> str:
    """Of the content that the row was made from."""
    return row.source.removeprefix(DIGEST)
