"""Users of HTTP Basic."""

from __future__ import annotations

from datetime import datetime

import pytest

from autoglm.contract.scope import Scope
from autoglm.contract.user import UserRequest
from autoglm.errors import ConflictError, NotFoundError
from cluster.control import basic, epoch
from cluster.control.database import Database
from cluster.control.tables import User
from deployments.access.password import PasswordConfig, hash_password

CHEAP = PasswordConfig(memory_kib=64, passes=1)
PASSWORD = "correct horse battery"


def make(database: Database, now: datetime, name: str = "ada") -> None:
    asked = UserRequest(name=name, password=PASSWORD, tenant="acme", scopes=(Scope("chat"),))
    with database.write() as session:
        basic.create(session, asked, hash_password(PASSWORD, CHEAP), now)


def stored(database: Database) -> str:
    with database.read() as session:
        user = session.get(User, "ada")
        assert user is not None
        return user.password_hash


def test_a_user_logs_in_with_the_password(database: Database, now: datetime) -> None:
    """With nothing else, and nobody else does."""
    make(database, now)
    caller = basic.verify(database, "ada", PASSWORD, CHEAP)
    assert caller is not None
    assert (str(caller), caller.tenant, caller.scopes) == ("user:ada", "acme", (Scope("chat"),))
    assert basic.verify(database, "ada", PASSWORD + " ", CHEAP) is None
    for name in ("' OR '1'='1", "eve", "", "a\0b", "\ud800"):
        assert basic.verify(database, name, PASSWORD, CHEAP) is None


def test_the_password_is_kept_as_an_argon2_hash(database: Database, now: datetime) -> None:
    """And never in the open, the request's repr included."""
    make(database, now)
    assert stored(database).startswith("$argon2id$")
    assert PASSWORD not in stored(database)
    assert PASSWORD not in repr(UserRequest(name="ada", password=PASSWORD, scopes=(Scope("chat"),)))


def test_a_hash_of_another_cost_is_replaced_at_the_next_log_in(database: Database, now: datetime) -> None:
    """Only by the right password, and the routers hear of it."""
    make(database, now)
    old, dearer = stored(database), PasswordConfig(memory_kib=128, passes=1)
    assert basic.verify(database, "ada", "wrong", dearer) is None
    assert stored(database) == old
    assert basic.verify(database, "ada", PASSWORD, dearer)
    assert "m=128" in stored(database)
    assert basic.verify(database, "ada", PASSWORD, dearer)
    with database.read() as session:
        assert epoch.current(session) == 2


def test_a_name_is_taken_once(database: Database, now: datetime) -> None:
    """The second is refused, and the first keeps its password."""
    make(database, now)
    with pytest.raises(ConflictError, match="'ada' exists"):
        make(database, now)
    assert basic.verify(database, "ada", PASSWORD, CHEAP)


def test_a_deleted_user_is_gone(database: Database, now: datetime) -> None:
    """And cannot be deleted twice."""
    make(database, now)
    with database.write() as session:
        basic.delete(session, "ada")
    assert basic.verify(database, "ada", PASSWORD, CHEAP) is None
    with pytest.raises(NotFoundError), database.write() as session:
        basic.delete(session, "ada")


def test_users_are_paged_by_name(database: Database, now: datetime) -> None:
    """From the one behind the last that was seen."""
    for name in ("eve", "ada", "bob"):
        make(database, now, name)
    with database.read() as session:
        assert [user.name for user in basic.page(session, after=None, limit=2)] == ["ada", "bob"]
        assert [user.name for user in basic.page(session, after="bob", limit=2)] == ["eve"]
