"""API keys: what opens, what does not, and that nothing tells why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from autoglm.contract.key import KeyRequest
from autoglm.contract.scope import Scope
from autoglm.errors import NotFoundError, UnprocessableEntityError
from cluster.control import epoch, keys
from cluster.control.database import Database
from cluster.control.tables import Key
from deployments.access import secret as secrets_module
from deployments.access.principal import Principal


def asked(**fields: Any) -> KeyRequest:
    return KeyRequest(**{"name": "ci", "tenant": "acme", "scopes": (Scope("chat"),), **fields})


def made(database: Database, now: datetime, **fields: Any) -> tuple[str, str]:
    with database.write() as session:
        key, secret = keys.create(session, asked(**fields), now)
        return key.id, secret


def caller(database: Database, secret: str, now: datetime) -> Principal | None:
    with database.read() as session:
        return keys.verify(session, secret, now)


def test_a_key_opens_with_what_it_was_made_for(database: Database, now: datetime) -> None:
    """Tenant, scopes and models come back; the secret has a prefix and 256 random bits."""
    key_id, secret = made(database, now, scopes=(Scope("chat"), Scope("tools:clock")), models=("chat",))
    assert secret.startswith("ag_")
    assert len(secret) == len("ag_") + 8 + 43
    assert caller(database, secret, now) == Principal(
        kind="key", id=key_id, tenant="acme", scopes=(Scope("chat"), Scope("tools:clock")), models=("chat",)
    )


def test_the_secret_is_nowhere_in_the_database(database: Database, now: datetime) -> None:
    """Only its hash and the prefix are kept."""
    _, secret = made(database, now)
    with database.read() as session:
        key = session.scalars(select(Key)).one()
        stored = repr([getattr(key, column.key) for column in Key.__table__.columns])
    assert secret[11:] not in stored
    assert key.hash == secrets_module.digest(secret)


@pytest.mark.parametrize("change", [lambda s: s[:-1], lambda s: s[:11], lambda s: s[:11] + "x" * 43, lambda s: s + "x"])
def test_a_right_prefix_alone_opens_nothing(database: Database, now: datetime, change: Any) -> None:
    """Every character of the secret counts."""
    _, secret = made(database, now)
    assert caller(database, change(secret), now) is None


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "ag_",
        "ag_unknown1" + "x" * 43,
        "ag-of-another-kind",
        "' OR 1=1 --",
        "ag_' OR '1'='1",
        "é" * 60,
        "ag_" + "\0" * 51,
    ],
)
def test_what_is_no_key_opens_nothing(database: Database, now: datetime, secret: str) -> None:
    """Whatever its form; SQL in it is a text like any other."""
    made(database, now)
    assert caller(database, secret, now) is None


def test_an_unknown_prefix_is_compared_all_the_same(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hash and one constant-time comparison of 32 bytes each, whether the prefix is known or not."""
    _, secret = made(database, now)
    compared: list[tuple[int, int]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr(secrets_module.hmac, "compare_digest", compare)
    for tried in (secret, secret[:11] + "x" * 43, "ag_unknown1" + "x" * 43, "nonsense"):
        caller(database, tried, now)
    assert compared == [(32, 32)] * 4


def test_a_key_ends_at_its_expiry(database: Database, now: datetime) -> None:
    """At the moment itself it is over; one that would be over already is not made."""
    end = now + timedelta(hours=1)
    _, secret = made(database, now, expires=end)
    assert caller(database, secret, end - timedelta(microseconds=1))
    assert caller(database, secret, end) is None
    with pytest.raises(UnprocessableEntityError, match="expires: got 2026-03-01T12:00:20"):
        made(database, now, expires=now)


def test_a_revoked_key_opens_nothing(database: Database, now: datetime) -> None:
    """From that moment on; a second time changes neither the time nor the epoch."""
    key_id, secret = made(database, now)
    for later in (0, 5):
        with database.write() as session:
            key = keys.revoke(session, key_id, now + timedelta(seconds=later))
            assert key.revoked == now
            assert epoch.current(session) == 2
    assert caller(database, secret, now) is None


def test_an_unknown_key_cannot_be_revoked(database: Database, now: datetime) -> None:
    """The message says where the ids are."""
    with pytest.raises(NotFoundError, match="GET /admin/v1/keys"), database.write() as session:
        keys.revoke(session, "key_none", now)


def test_keys_are_paged_newest_first(database: Database, now: datetime) -> None:
    """Page after page each key once, those of the same moment too; of one tenant where that is asked."""
    moments = [0, 1, 1, 1, 2]
    ids = {made(database, now + timedelta(seconds=moment))[0] for moment in moments}
    made(database, now, tenant="other")
    seen: list[Key] = []
    with database.read() as session:
        while page := keys.page(session, tenant="acme", after=seen[-1].id if seen else None, limit=2):
            seen += page
    assert {key.id for key in seen} == ids
    assert [key.created for key in seen] == sorted((key.created for key in seen), reverse=True)
    assert len(seen) == len(moments)
