"""The calls of tools: kept once each, never changed, and the newest never deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cluster.control import audit, tool_calls
from cluster.control.database import Database
from cluster.control.tool_calls import KEPT
from deployments.tools.call_log import CallEntry


def entry(now: datetime, tool: str = "read", **rest: str) -> CallEntry:
    return replace(CallEntry(now, "key:key_1", "acme", tool, "run_1:s1", "0" * 64, "{}", "ok", 0.25), **rest)


def add(database: Database, now: datetime, *entries: CallEntry, lost: int = 0) -> None:
    with database.write() as session:
        tool_calls.add(session, entries, lost, now)


def tools(database: Database, tenant: str | None = None, before: int | None = None) -> list[tuple[int, str]]:
    with database.read() as session:
        found = tool_calls.page(session, tenant=tenant, before=before, limit=10)
    return [(call.id, call.tool) for call in found]


def test_an_entry_is_kept_as_it_was_told_and_once_however_often(database: Database, now: datetime) -> None:
    """A replica that heard no answer tells it again, among others."""
    first, second = entry(now), entry(now, "write", preview='{"name": "\\u0000\ud800é"}')
    add(database, now, first)
    add(database, now, first, second)
    with database.read() as session:
        newest, oldest = tool_calls.page(session, tenant=None, before=None, limit=10)
    assert oldest.model_dump(exclude={"id"}) == {
        "at": now,
        "caller": "key:key_1",
        "tenant": "acme",
        "tool": "read",
        "key": "run_1:s1",
        "digest": "0" * 64,
        "preview": "{}",
        "outcome": "ok",
        "seconds": 0.25,
    }
    assert (newest.tool, newest.preview) == ("write", second.preview)


def test_entries_are_paged_newest_first_and_by_tenant(database: Database, now: datetime) -> None:
    """From the one before the last that was seen."""
    add(database, now, *(entry(now, f"t{number}", tenant="ab"[number % 2]) for number in range(4)))
    assert [tool for _, tool in tools(database)] == ["t3", "t2", "t1", "t0"]
    [(_, newest), (second, _)] = tools(database, "b")
    assert newest == "t3"
    assert [tool for _, tool in tools(database, before=second)] == ["t0"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tool_calls SET caller = 'nobody'",
        "DELETE FROM tool_calls",
        "REPLACE INTO tool_calls SELECT id + 1, entry, at, 'nobody', tenant, tool, key, digest, preview, outcome, "
        "seconds FROM tool_calls",
        "TRUNCATE tool_calls",
    ],
)
def test_an_entry_cannot_be_changed(database: Database, now: datetime, statement: str) -> None:
    """By no statement, and it is there as it was."""
    if database.is_sqlite and statement.startswith("TRUNCATE"):
        statement = "DELETE FROM tool_calls WHERE id > 0"
    if not database.is_sqlite and statement.startswith("REPLACE"):
        statement = (
            "INSERT INTO tool_calls SELECT * FROM tool_calls ON CONFLICT (entry) DO UPDATE SET caller = 'nobody'"
        )
    add(database, now, entry(now))
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(text(statement))
    assert [tool for _, tool in tools(database)] == ["read"]


def test_only_what_a_million_newer_ones_follow_goes(database: Database, now: datetime) -> None:
    """The disk is bounded; nobody can delete one before."""
    add(database, now, entry(now, "oldest"))
    add(database, now, entry(now, "second"))
    with database.write() as session:
        columns = "entry, at, caller, tenant, tool, key, digest, preview, outcome, seconds"
        session.execute(
            text(
                f"INSERT INTO tool_calls (id, {columns}) SELECT {KEPT} + 1, 'x', at, caller, tenant, 'late', key, "
                "digest, preview, outcome, seconds FROM tool_calls WHERE tool = 'second'"
            )
        )
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(text("DELETE FROM tool_calls WHERE tool = 'second'"))
    if not database.is_sqlite:
        with database.write() as session:
            session.execute(text(f"SELECT setval('tool_calls_id_seq', {KEPT} + 1)"))
    add(database, now, entry(now, "newest"))
    assert [tool for _, tool in tools(database)] == ["newest", "late"]


def test_what_a_replica_has_lost_is_in_the_audit(database: Database, now: datetime) -> None:
    """A gap that nobody knows of would be as good as a change."""
    add(database, now, lost=7)
    with database.read() as session:
        [told] = audit.page(session, before=None, limit=10)
    assert (told.action, told.detail) == ("tools.calls_lost", {"count": 7})
