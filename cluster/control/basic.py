"""Users of HTTP Basic, their passwords as argon2 hashes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from autoglm.contract.scope import Scope
from autoglm.contract.user import UserRequest
from autoglm.errors import ConflictError, NotFoundError
from cluster.control import epoch, upsert
from cluster.control.database import Database
from cluster.control.tables import Tenant, User
from deployments.access.password import STANDARD, PasswordConfig, hash_password, is_outdated, verify_password
from deployments.access.principal import Principal
from deployments.access.snapshot import UserView


def create(session: Session, asked: UserRequest, password_hash: str, now: datetime) -> User:
    """A new user, the password hashed before: that takes long, and a transaction should not.

    Raises:
        ConflictError: the name is taken.
    """
    upsert.ensure(session, Tenant, {"name": asked.tenant, "created": now})
    user = User(
        name=asked.name,
        password_hash=password_hash,
        tenant=asked.tenant,
        scopes=[str(scope) for scope in asked.scopes],
        models=None if asked.models is None else list(asked.models),
        created=now,
    )
    session.add(user)
    try:
        session.flush()
    except IntegrityError:
        raise ConflictError(
            f"name: the user {asked.name!r} exists; delete it first, or take another", param="name"
        ) from None
    epoch.advance(session)
    return user


def verify(database: Database, name: str, password: str, config: PasswordConfig = STANDARD) -> Principal | None:
    """The caller with this password; None for a wrong one or an unknown user, at the same cost.

    A hash that was made at another cost than `config` is replaced, now that the password is at hand.
    """
    with database.read() as session:
        user = session.get(User, name) if name.isprintable() else None  # PostgreSQL refuses to look for a NUL
        known = view(user) if user else None
    right = verify_password(known.password_hash if known else None, password, config)
    if known is None or not right:
        return None
    if is_outdated(known.password_hash, config):
        rehash(database, name, known.password_hash, hash_password(password, config))
    return known.principal()


def rehash(database: Database, name: str, old: str, new: str) -> None:
    """Replace the hash, unless the user was deleted or changed meanwhile."""
    with database.write() as session:
        user = session.get(User, name, with_for_update=True)
        if user is not None and user.password_hash == old:
            user.password_hash = new
            session.flush()
            epoch.advance(session)


def view(user: User) -> UserView:
    """What a router needs to know of a user."""
    return UserView(
        name=user.name,
        password_hash=user.password_hash,
        tenant=user.tenant,
        scopes=tuple(Scope(scope) for scope in user.scopes),
        models=None if user.models is None else tuple(user.models),
    )


def delete(session: Session, name: str) -> User:
    """Take the user away; what it did stays in the audit.

    Raises:
        NotFoundError: there is no such user.
    """
    user = session.get(User, name, with_for_update=True)
    if user is None:
        raise NotFoundError("user: there is none of this name; GET /admin/v1/users lists them", param="user")
    session.delete(user)
    session.flush()
    epoch.advance(session)
    return user


def page(session: Session, *, after: str | None, limit: int) -> list[User]:
    """At most `limit` users by name, from the one behind `after`."""
    query = select(User).order_by(User.name).limit(limit)
    return list(session.scalars(query.where(User.name > after) if after is not None else query))
