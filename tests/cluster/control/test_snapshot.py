"""What the routers are given: all that is live, and a number that rises."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from autoglm.contract.key import KeyRequest
from autoglm.contract.quota import QuotaRequest
from autoglm.contract.scope import Scope
from autoglm.contract.user import UserRequest
from cluster.control import basic, keys, limits, snapshot
from cluster.control.database import Database
from deployments.access.password import PasswordConfig, hash_password
from deployments.access.snapshot import Snapshot
from deployments.quota.subject import Subject
from deployments.quota.view import QuotaView

PASSWORD = "correct horse battery"


def make(database: Database, now: datetime, **fields: Any) -> tuple[str, str]:
    with database.write() as session:
        key, secret = keys.create(session, KeyRequest(name="ci", scopes=(Scope("chat"),), **fields), now)
        return key.id, secret


def taken(database: Database, now: datetime) -> Snapshot:
    with database.read() as session:
        return snapshot.take(session, now)


def test_it_knows_what_the_database_knows(database: Database, now: datetime) -> None:
    """The same caller by either way, and for the users too; it crosses a wire as JSON."""
    _, secret = make(database, now, models=("chat",), expires=now + timedelta(hours=1))
    asked = UserRequest(name="ada", password=PASSWORD, scopes=(Scope("chat"),))
    with database.write() as session:
        basic.create(session, asked, hash_password(PASSWORD, PasswordConfig(memory_kib=64, passes=1)), now)
    known = Snapshot.model_validate_json(taken(database, now).model_dump_json())
    with database.read() as session:
        assert known.by_key(secret, now) == keys.verify(session, secret, now) is not None
    assert known.by_password("ada", PASSWORD) == basic.verify(database, "ada", PASSWORD) is not None
    assert known.by_key(secret, now + timedelta(hours=1)) is None


def test_it_holds_live_keys_only_and_no_secret(database: Database, now: datetime) -> None:
    """Revoked and expired ones are left out; hashes are, in its repr."""
    live, secret = make(database, now)
    revoked, _ = make(database, now)
    make(database, now, expires=now + timedelta(seconds=1))
    with database.write() as session:
        keys.revoke(session, revoked, now)
    known = taken(database, now + timedelta(seconds=1))
    assert [key.id for key in known.keys] == [live]
    assert secret[11:] not in known.model_dump_json()
    assert known.keys[0].sha256 not in repr(known)


def test_each_change_raises_the_epoch(database: Database, now: datetime) -> None:
    """Made, revoked, user made, deleted, quota put; a reading changes nothing."""
    epochs = [taken(database, now).epoch]
    key_id, _ = make(database, now)
    epochs.append(taken(database, now).epoch)
    with database.write() as session:
        keys.revoke(session, key_id, now)
    epochs.append(taken(database, now).epoch)
    with database.write() as session:
        basic.create(session, UserRequest(name="ada", password=PASSWORD, scopes=(Scope("chat"),)), "$argon2id$", now)
    epochs.append(taken(database, now).epoch)
    with database.write() as session:
        basic.delete(session, "ada")
    epochs.append(taken(database, now).epoch)
    with database.write() as session:
        limits.put(session, Subject("key", key_id), QuotaRequest(requests_per_day=1))
    epochs.append(taken(database, now).epoch)
    assert epochs == [0, 1, 2, 3, 4, 5]
    assert taken(database, now).epoch == 5


def test_quotas_are_told_as_the_ledger_has_them(database: Database, now: datetime) -> None:
    """Keys' and tenants', the budget in millionths; one that limits nothing is none."""
    key_id, _ = make(database, now, tenant="acme")
    free, _ = make(database, now, tenant="acme")
    with database.write() as session:
        limits.put(session, Subject("tenant", "acme"), QuotaRequest(budget=2.5))
        limits.put(session, Subject("key", key_id), QuotaRequest(requests_per_minute=0, tokens_per_day=7))
        limits.put(session, Subject("key", free), QuotaRequest())
    with database.read() as session:
        assert snapshot.quotas(session) == (
            QuotaView(kind="key", subject=key_id, requests_per_minute=0, tokens_per_day=7),
            QuotaView(kind="tenant", subject="acme", budget_micros=2_500_000),
        )
