"""The schema up, down and up again, and what it refuses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, String, inspect, select, text
from sqlalchemy.exc import DBAPIError

from autoglm.contract.key import KeyRequest
from autoglm.contract.quota import QuotaRequest
from autoglm.contract.scope import Scope
from autoglm.errors import ConfigError
from cluster.control import audit, keys, limits, migrate, usage
from cluster.control.database import Database
from cluster.control.quota import Ledger
from cluster.control.tables import Base, ReportRow
from deployments.quota.bank import Booking, Report, Settlement, Wanted
from deployments.quota.meter import Spent
from deployments.quota.subject import Subject
from deployments.quota.windows import Amount, Window

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")


def run(url: str, work: Callable[[Connection], None]) -> None:
    with closing(Database(url)) as database, database.connection() as connection:
        work(connection)


def execute(url: str, *statements: str) -> None:
    run(url, lambda connection: [connection.execute(text(statement)) for statement in statements] and None)


def make_rows(url: str, now: datetime) -> tuple[str, str]:
    """A key, its tenant and an entry of the audit; returns the key's id and secret."""
    with closing(Database(url)) as database, database.write() as session:
        asked = KeyRequest(name="ci", tenant="acme", scopes=(Scope("chat"),), models=("chat",))
        key, secret = keys.create(session, asked, now)
        audit.record(session, audit.Actor("local:me"), "keys.create", key.id, {"name": "ci"}, now)
        return key.id, secret


def test_the_revisions_make_the_tables_that_the_program_uses(database_url: str) -> None:
    """No table, column or index is only in one of them."""
    migrate.upgrade(database_url)
    differences: list[object] = []
    run(
        database_url,
        lambda connection: differences.extend(compare_metadata(MigrationContext.configure(connection), Base.metadata)),
    )
    assert differences == []
    migrate.check(database_url)


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_rows_survive_the_way_down_and_up_again(database_url: str, revision: str, now: datetime) -> None:
    """The key still opens, with its tenant and its audit; only what later revisions added is empty."""
    migrate.upgrade(database_url)
    key_id, secret = make_rows(database_url, now)
    migrate.downgrade(database_url, revision)
    with pytest.raises(ConfigError, match=f"revision {revision}, this program needs 0007.*upgrade"):
        migrate.check(database_url)
    migrate.upgrade(database_url)
    with closing(Database(database_url)) as database, database.read() as session:
        caller = keys.verify(session, secret, now)
        assert caller is not None
        assert (caller.id, caller.tenant, caller.models) == (key_id, "acme", ("chat",))
        assert [entry.object for entry in audit.page(session, before=None, limit=10)] == [key_id]
    with pytest.raises(DBAPIError, match="append-only"):
        execute(database_url, "DELETE FROM audit")


@pytest.mark.parametrize("revision", ["0002", "0003"])
def test_quotas_and_usage_survive_the_loss_of_the_reports(database_url: str, revision: str, now: datetime) -> None:
    """Limits, what is used of them, leases that are open, and the sums; only which reports were booked is forgotten."""
    migrate.upgrade(database_url)
    key_id, _ = make_rows(database_url, now)
    key = Subject("key", key_id)
    with closing(Database(database_url)) as database:
        with database.write() as session:
            limits.put(session, key, QuotaRequest(tokens_per_day=100))
        ledger = Ledger(database)
        ledger.reserve(Wanted("l1", (key,), Amount(1, 30), Amount(1, 30)), now)
        spent = Spent(key_id, "acme", "chat", now.date(), 1, 8, 2)
        ledger.report(Report("r1", bookings=(Booking(key, Window.DAY, Window.DAY.start(now), Amount(1, 5)),)), now)
        ledger.report(Report("r2", spent=(spent,)), now)
    migrate.downgrade(database_url, revision)
    migrate.upgrade(database_url)
    with closing(Database(database_url)) as database:
        ledger = Ledger(database)
        assert [standing.used for standing in ledger.standings([key], now)] == [35]
        ledger.report(Report("r3", (Settlement("l1", Amount(1, 10)),), spent=(spent,)), now)
        assert [standing.used for standing in ledger.standings([key], now)] == [15]
        with database.read() as session:
            assert [row.prompt_tokens for row in usage.totals(session, ["key"], limit=2)] == [16]
            assert session.scalars(select(ReportRow.id)).all() == ["r3"]


def test_every_revision_has_a_way_back(database_url: str) -> None:
    """Down to nothing, functions included, and up again from there."""
    migrate.upgrade(database_url)
    for revision in [*reversed(REVISIONS[:-1]), "base"]:
        migrate.downgrade(database_url, revision)
    tables: list[str] = []
    run(database_url, lambda connection: tables.extend(inspect(connection).get_table_names()))
    assert tables == ["alembic_version"]
    migrate.upgrade(database_url)
    migrate.check(database_url)


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(database_url: str, now: datetime) -> None:
    """It runs at every start."""
    migrate.upgrade(database_url)
    _, secret = make_rows(database_url, now)
    migrate.upgrade(database_url)
    with closing(Database(database_url)) as database, database.read() as session:
        assert keys.verify(session, secret, now)


@pytest.mark.parametrize("action", [migrate.upgrade, migrate.check, lambda url: migrate.downgrade(url, "base")])
def test_a_newer_database_is_refused(database_url: str, action: Callable[[str], None]) -> None:
    """With what to do; nothing is changed."""
    migrate.upgrade(database_url)
    execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match="9999, which this program does not know: a newer one made it") as refused:
        action(database_url)
    assert "Start that one, or have it downgrade the database to 0007" in str(refused.value)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (["DROP TABLE usage"], r"lacks usage\.completion_tokens"),
        (["ALTER TABLE keys DROP COLUMN name"], r"lacks keys\.name"),
        (["DELETE FROM alembic_version"], "revision none and has the tables audit, breaker_holds, counters"),
        (["INSERT INTO alembic_version VALUES ('0001')"], "revision 0001, 0007"),
        (["UPDATE alembic_version SET version_num = '0001'"], "not those of its revision"),
    ],
)
def test_a_half_migrated_database_is_refused(database_url: str, damage: list[str], message: str) -> None:
    """Tables that are not those of the revision it claims: the upgrade says so, and leaves it as it was."""
    migrate.upgrade(database_url)
    execute(database_url, *damage)
    with pytest.raises(ConfigError, match=f"half-migrated.*{message}") as refused:
        migrate.upgrade(database_url)
    assert "restore the last backup" in str(refused.value)
    with pytest.raises(ConfigError):
        migrate.check(database_url)


@pytest.mark.parametrize("table", ["audit", "tool_calls"])
def test_an_audit_without_its_guards_is_refused(database_url: str, table: str) -> None:
    """Whoever took a trigger away could have changed the entries."""
    migrate.upgrade(database_url)
    on_table = "" if database_url.startswith("sqlite") else f" ON {table}"
    execute(database_url, f"DROP TRIGGER {table}_no_delete{on_table}")
    with pytest.raises(ConfigError, match=f"lacks {table}_no_delete"):
        migrate.check(database_url)


def test_an_upgrade_that_fails_midway_leaves_the_schema_as_it_was(database_url: str) -> None:
    """A table of the last revision is in the way; those of the second are not left behind."""
    migrate.upgrade(database_url)
    migrate.downgrade(database_url, "0001")
    execute(database_url, "CREATE TABLE registrations (id INTEGER)")
    with pytest.raises(ConfigError, match="half-migrated"):
        migrate.upgrade(database_url)
    execute(database_url, "DROP TABLE registrations")
    migrate.upgrade(database_url)


def test_a_downgrade_goes_down_only(database_url: str) -> None:
    """A revision that is none before the database's own is refused with those that are."""
    migrate.upgrade(database_url)
    migrate.downgrade(database_url, "0002")
    for revision in ("0003", "-1", "head"):
        with pytest.raises(ConfigError, match=r"the database is of 0002; known: 0002, 0001, base"):
            migrate.downgrade(database_url, revision)


def test_a_table_that_others_name_can_be_altered(database_url: str, now: datetime) -> None:
    """SQLite rebuilds it for that; the rows that name its rows are still there, and still do."""
    migrate.upgrade(database_url)
    _, secret = make_rows(database_url, now)
    with migrate.migrating(database_url) as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("tenants") as table:
            table.alter_column("name", existing_type=String(64), existing_nullable=False, type_=String(80))
    with closing(Database(database_url)) as database, database.read() as session:
        assert keys.verify(session, secret, now)


def test_rows_that_name_missing_ones_are_refused(tmp_path: Path) -> None:
    """SQLite may have let them in while it was not asked to look."""
    url = f"sqlite:///{tmp_path / 'control.db'}"
    migrate.upgrade(url)
    with migrate.migrating(url) as connection:
        connection.execute(text("INSERT INTO users VALUES ('ada', '', 'nobody', '[]', NULL, '2026-03-01')"))
    with pytest.raises(ConfigError, match="rows name others that do not exist"):
        migrate.upgrade(url)


def test_control_planes_that_start_at_once_migrate_once(database_url: str) -> None:
    """The second waits until the first is done, and then finds nothing to do; it does not work beside it and fail."""
    faults: list[BaseException] = []

    def start() -> None:
        try:
            migrate.upgrade(database_url)
        except Exception as fault:
            faults.append(fault)

    second = threading.Thread(target=start)
    with migrate.migrating(database_url) as connection:
        command.upgrade(migrate.config(connection), "head")
        second.start()
        second.join(1)  # time to come to the lock, which tells nobody that it is waited for
        assert second.is_alive()
    second.join()
    assert faults == []
    migrate.check(database_url)
