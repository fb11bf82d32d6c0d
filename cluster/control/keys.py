"""API keys: made, verified, listed, revoked. Only a secret's hash is kept."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from autoglm.contract.key import KeyRequest
from autoglm.contract.scope import Scope
from autoglm.errors import NotFoundError, UnprocessableEntityError
from cluster.control import epoch, upsert
from cluster.control.tables import Key, Tenant
from deployments.access.principal import Principal
from deployments.access.secret import digest, matches, new_secret, prefix_of
from deployments.access.snapshot import KeyView

ID_BYTES = 10


def create(session: Session, asked: KeyRequest, now: datetime) -> tuple[Key, str]:
    """A new key and its secret, which nobody can read again. Its tenant is made where it is new.

    Raises:
        UnprocessableEntityError: it would be expired already.
    """
    if asked.expires is not None and asked.expires <= now:
        raise UnprocessableEntityError(f"expires: got {asked.expires.isoformat()}, which is past", param="expires")
    secret = new_secret()
    upsert.ensure(session, Tenant, {"name": asked.tenant, "created": now})
    key = Key(
        id="key_" + secrets.token_hex(ID_BYTES),
        prefix=prefix_of(secret),
        hash=digest(secret),
        name=asked.name,
        tenant=asked.tenant,
        scopes=[str(scope) for scope in asked.scopes],
        models=None if asked.models is None else list(asked.models),
        created=now,
        expires=asked.expires,
        revoked=None,
    )
    session.add(key)
    session.flush()
    epoch.advance(session)
    return key, secret


def verify(session: Session, secret: str, now: datetime) -> Principal | None:
    """The caller with this secret; None for a wrong, unknown, expired or revoked one, told apart by nothing."""
    key = session.scalars(select(Key).where(Key.prefix == prefix_of(secret))).one_or_none()
    right = matches(secret, key.hash if key else None)
    return view(key).principal() if key is not None and right and is_live(key, now) else None


def is_live(key: Key, now: datetime) -> bool:
    """Whether the key is neither revoked nor expired."""
    return key.revoked is None and (key.expires is None or key.expires > now)


def view(key: Key) -> KeyView:
    """What a router needs to know of a key."""
    return KeyView(
        id=key.id,
        prefix=key.prefix,
        sha256=key.hash.hex(),
        tenant=key.tenant,
        scopes=tuple(Scope(scope) for scope in key.scopes),
        models=None if key.models is None else tuple(key.models),
        expires=key.expires,
    )


def revoke(session: Session, key_id: str, now: datetime) -> Key:
    """End the key. A second time changes nothing.

    Raises:
        NotFoundError: there is no such key.
    """
    key = found(session, key_id)
    if key.revoked is None:
        key.revoked = now
        session.flush()
        epoch.advance(session)
    return key


def found(session: Session, key_id: str) -> Key:
    """The key of this id.

    Raises:
        NotFoundError: there is none.
    """
    key = session.get(Key, key_id)
    if key is None:
        raise NotFoundError("key: there is none of this id; GET /admin/v1/keys lists them", param="key")
    return key


def page(session: Session, *, tenant: str | None, after: str | None, limit: int) -> list[Key]:
    """At most `limit` keys, the newest first, from the one behind the key `after`.

    Raises:
        NotFoundError: there is no key `after`.
    """
    query = select(Key).order_by(Key.created.desc(), Key.id.desc()).limit(limit)
    if tenant is not None:
        query = query.where(Key.tenant == tenant)
    if after is not None:
        last = found(session, after)
        query = query.where(tuple_(Key.created, Key.id) < (last.created, last.id))
    return list(session.scalars(query))
