"""The rows of registered versions, on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from autoglm.contract import TaskConfig
from autoglm.errors import ConflictError, NotFoundError
from cluster.control import holds, registrations
from cluster.control.database import Database
from cluster.control.store import Store
from cluster.control.verification import Content

DECLARED = TaskConfig(task="tabular-classification", labels=["a", "b"])
CONTENT = Content(DECLARED, "1" * 64)


def put(database: Database, place: str, now: datetime, content: Content = CONTENT) -> bool:
    with database.write() as session:
        row, is_new = registrations.put(session, *place.split("/"), content, now)
        assert registrations.sha256(row) == content.sha256
        return is_new


def test_the_same_content_is_registered_once(database: Database, now: datetime) -> None:
    """A second time changes nothing, not even the time."""
    assert put(database, "flowers/v1", now) is True
    assert put(database, "flowers/v1", now + timedelta(days=1)) is False
    with database.read() as session:
        assert registrations.find(session, "flowers", "v1").created == now


def test_other_content_under_the_same_version_is_a_conflict(database: Database, now: datetime) -> None:
    """A version never changes what it is; under another version it is taken."""
    put(database, "flowers/v1", now)
    with pytest.raises(ConflictError, match="other content; take another version"):
        put(database, "flowers/v1", now, Content(DECLARED, "2" * 64))
    assert put(database, "flowers/v2", now, Content(DECLARED, "2" * 64)) is True


def test_two_versions_never_make_one_application(database: Database, now: datetime) -> None:
    """a-b of c and a of b-c would both be model-a-b-c."""
    put(database, "a-b/c", now)
    with pytest.raises(ConflictError, match="a b-c and a-b c would make one application"):
        put(database, "a/b-c", now)


def test_all_tells_what_to_deploy_the_oldest_first(database: Database, now: datetime, tmp_path: Path) -> None:
    """The declaration with its labels, and where what was fitted lies."""
    store = Store(tmp_path)
    put(database, "b/v1", now)
    put(database, "a/v1", now + timedelta(seconds=1))
    (tmp_path / "b" / "v1").mkdir(parents=True)
    (tmp_path / "b" / "v1" / "head.safetensors").touch()
    with database.read() as session:
        first, second = registrations.all(session, store)
    assert (first.name, first.version, first.declaration, first.labels) == ("b", "v1", DECLARED, ("a", "b"))
    assert first.fitted == tmp_path / "b" / "v1" / "head.safetensors"
    assert (second.name, second.folder, second.fitted) == ("a", tmp_path / "a" / "v1", None)


def test_versions_are_listed_in_pages(database: Database, now: datetime) -> None:
    """By name and version, all or one name's, from the one behind the last that was seen."""
    for place in ("b/v1", "a/v2", "a/v1", "c/v1"):
        put(database, place, now)

    def page(name: str | None = None, after: tuple[str, str] | None = None, limit: int = 10) -> list[str]:
        with database.read() as session:
            rows = registrations.page(session, name=name, after=after, limit=limit)
        return [f"{row.name}/{row.version}" for row in rows]

    assert page(limit=3) == ["a/v1", "a/v2", "b/v1"]
    assert page(after=("a", "v2")) == ["b/v1", "c/v1"]
    assert page(name="a") == ["a/v1", "a/v2"]
    assert page(name="a", after=("a", "v1")) == ["a/v2"]


def test_a_deleted_version_is_gone_and_its_place_free(database: Database, now: datetime) -> None:
    """One that never was is not found."""
    put(database, "flowers/v1", now)
    with database.write() as session:
        registrations.delete(session, "flowers", "v1")
    with database.write() as session, pytest.raises(NotFoundError, match="flowers v1 is not registered"):
        registrations.delete(session, "flowers", "v1")
    assert put(database, "flowers/v1", now, Content(DECLARED, "2" * 64)) is True


def test_a_version_takes_its_held_breaker_along(database: Database, now: datetime) -> None:
    """The next version of its name and number is another one."""
    put(database, "flowers/v1", now)
    with database.write() as session:
        holds.put(session, "flowers", "v1", "open")
        registrations.delete(session, "flowers", "v1")
    with database.read() as session:
        assert holds.all(session) == ()
