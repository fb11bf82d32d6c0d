"""The audit: appended, never changed, and without secrets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cluster.control import audit
from cluster.control.audit import Actor
from cluster.control.database import Database
from deployments.access.password import PasswordConfig, hash_password
from deployments.access.secret import new_secret


def record(database: Database, now: datetime, subject: str = "key_1", **detail: Any) -> None:
    with database.write() as session:
        audit.record(session, Actor("key:key_0", "10.0.0.1"), "keys.create", subject, detail, now)


def test_an_entry_says_who_did_what_to_which_object_from_where(database: Database, now: datetime) -> None:
    """With the time and the details."""
    record(database, now, name="ci")
    with database.read() as session:
        (entry,) = audit.page(session, before=None, limit=10)
    assert entry.model_dump(exclude={"id"}) == {
        "at": now,
        "actor": "key:key_0",
        "action": "keys.create",
        "object": "key_1",
        "detail": {"name": "ci"},
        "address": "10.0.0.1",
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "REPLACE INTO audit SELECT id, at, 'nobody', action, object, detail, address FROM audit",
        "TRUNCATE audit",
    ],
)
def test_an_entry_cannot_be_changed(database: Database, now: datetime, statement: str) -> None:
    """By no statement, and it is there as it was."""
    if database.is_sqlite and statement.startswith("TRUNCATE"):
        statement = "DELETE FROM audit WHERE id > 0"
    if not database.is_sqlite and statement.startswith("REPLACE"):
        statement = "INSERT INTO audit SELECT * FROM audit ON CONFLICT (id) DO UPDATE SET actor = 'nobody'"
    record(database, now)
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(text(statement))
    with database.read() as session:
        assert [entry.actor for entry in audit.page(session, before=None, limit=10)] == ["key:key_0"]


def test_secrets_are_taken_out(database: Database, now: datetime) -> None:
    """By their field's name and by their form, however deep; a key's prefix stays, to be found by."""
    secret, password = new_secret(), "correct horse battery"
    hashed = hash_password(password, PasswordConfig(memory_kib=64, passes=1))
    record(
        database,
        now,
        subject=f"key {secret}",
        name=f"my {secret}!",
        password=password,
        nested={"api_secret": password, "list": [hashed, "Bearer abc.def", "Basic YWRh"]},
        tokens_per_day=5,
    )
    with database.read() as session:
        (entry,) = audit.page(session, before=None, limit=10)
    shown = entry.model_dump_json()
    for hidden in (secret[11:], password, hashed, "abc.def", "YWRh"):
        assert hidden not in shown
    assert secret[:11] in shown
    assert entry.detail["tokens_per_day"] == 5


def test_details_are_shortened(database: Database, now: datetime) -> None:
    """No caller can fill the disk with one action."""
    deep: Any = "x"
    for _ in range(50):
        deep = [deep]
    record(database, now, subject="s" * 10_000, text="x" * 10_000, items=list(range(10_000)), deep=deep)
    with database.read() as session:
        (entry,) = audit.page(session, before=None, limit=10)
    assert len(entry.model_dump_json()) < 2_000


def test_entries_are_paged_newest_first(database: Database, now: datetime) -> None:
    """From the one before the last that was seen."""
    for number in range(5):
        record(database, now, subject=str(number))
    with database.read() as session:
        first = audit.page(session, before=None, limit=2)
        then = audit.page(session, before=first[-1].id, limit=10)
    assert [entry.object for entry in [*first, *then]] == ["4", "3", "2", "1", "0"]
