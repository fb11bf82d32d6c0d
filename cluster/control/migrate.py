"""The database's schema, one revision after another, in both directions.

Each call is one transaction, on SQLite too: a start that is killed leaves the schema as it was. Control planes that
start at once wait for each other, and the second finds nothing left to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from autoglm.errors import ConfigError
from cluster.control.database import Database
from cluster.control.tables import Base

FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x6175746F676C6D  # "autoglm"; PostgreSQL's advisory locks have numbers for names
GUARDED = ("audit", "tool_calls")
TRIGGERS = {
    "sqlite": {f"{table}_no_{change}" for table in GUARDED for change in ("update", "delete", "replace")},
    "postgresql": {f"{table}_no_{change}" for table in GUARDED for change in ("update", "delete", "truncate")},
}
TRIGGERS_IN_FORCE = {
    "sqlite": f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN {GUARDED}",
    "postgresql": "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
    f"WHERE relname IN {GUARDED} AND relnamespace = current_schema()::regnamespace AND tgenabled <> 'D'",
}
RESTORE = "restore the last backup, or name another database"


def upgrade(url: str | None = None) -> None:
    """Bring the schema to this program's revision; a database that has it is only checked.

    Raises:
        ConfigError: the database is of a newer program, or half-migrated; nothing was changed.
        UnavailableError: it does not answer.
    """
    with migrating(url) as connection:
        refuse_foreign(connection)
        with half_migrated_on_fault():
            command.upgrade(config(connection), "head")
        refuse_broken_references(connection)
        refuse_incomplete(connection)


def downgrade(url: str | None, revision: str) -> None:
    """Take the schema back to `revision` (`base` is the empty database); what later revisions hold is lost.

    Raises:
        ConfigError: the database is of a newer program or half-migrated, or the revision is none before its own.
        UnavailableError: it does not answer.
    """
    with migrating(url) as connection:
        refuse_foreign(connection)
        refuse_unknown_target(connection, revision)
        with half_migrated_on_fault():
            command.downgrade(config(connection), revision)
        refuse_broken_references(connection)


def check(url: str | None = None) -> None:
    """Refuse a database that this program cannot work with as it is.

    Raises:
        ConfigError: it is newer, older or half-migrated; the message says what to do.
        UnavailableError: it does not answer.
    """
    with closing(Database(url)) as database, database.connection() as connection:
        refuse_foreign(connection)
        found = revisions(connection)
        if found != heads():
            raise ConfigError(
                f"database: it is of revision {shown(found)}, this program needs {shown(heads())}; "
                "upgrade it: python -m cluster.control upgrade"
            )
        refuse_incomplete(connection)


@contextmanager
def migrating(url: str | None) -> Iterator[Connection]:
    """The one transaction that changes the schema now; others wait for its end."""
    # SQLite rebuilds a table to alter it, which with references on would follow them and delete.
    with closing(Database(url, foreign_keys=False)) as database, database.connection() as connection:
        if not database.is_sqlite:  # SQLite's writers are alone from their beginning
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK})
        yield connection


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, without a file."""
    settings = Config()
    settings.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings


def heads() -> tuple[str, ...]:
    """The revision that this program needs."""
    return tuple(ScriptDirectory.from_config(config()).get_heads())


def revisions(connection: Connection) -> tuple[str, ...]:
    """The revision that the database says it has; none for an empty one."""
    return tuple(sorted(MigrationContext.configure(connection).get_current_heads()))


def refuse_foreign(connection: Connection) -> None:
    """Raise for what no revision of this program left behind."""
    found = revisions(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if unknown := set(found) - known:
        raise ConfigError(
            f"database: it is of revision {shown(tuple(unknown))}, which this program does not know: a newer one made "
            f"it. Start that one, or have it downgrade the database to {shown(heads())}"
        )
    tables = set(inspect(connection).get_table_names()) & set(Base.metadata.tables)
    if len(found) > 1 or (not found and tables):
        raise ConfigError(
            f"database: half-migrated: it says revision {shown(found)} and has the tables "
            f"{', '.join(sorted(tables)) or 'none'}; {RESTORE}"
        )


def refuse_unknown_target(connection: Connection, revision: str) -> None:
    """Raise for a revision that does not come before the database's own."""
    found = revisions(connection)
    scripts = ScriptDirectory.from_config(config())
    before = [script.revision for script in scripts.walk_revisions("base", found[0])] if found else []
    if revision not in [*before, "base"]:
        raise ConfigError(
            f"revision: got {revision!r}, and the database is of {shown(found)}; known: {', '.join([*before, 'base'])}"
        )


def refuse_incomplete(connection: Connection) -> None:
    """Raise for a database that says it is of this program's revision and lacks a part of it."""
    if lacking := sorted(missing(connection)):
        raise ConfigError(f"database: half-migrated: it lacks {', '.join(lacking)}; {RESTORE}")


def missing(connection: Connection) -> Iterator[str]:
    """Tables, columns and guards that are not there."""
    inspector = inspect(connection)
    present = set(inspector.get_table_names())
    for name, table in Base.metadata.tables.items():
        columns = {column["name"] for column in inspector.get_columns(name)} if name in present else set()
        yield from (f"{name}.{column.name}" for column in table.columns if column.name not in columns)
    yield from TRIGGERS[connection.dialect.name] - triggers(connection)


def triggers(connection: Connection) -> set[str]:
    """The names of the guards that are in force."""
    return set(connection.execute(text(TRIGGERS_IN_FORCE[connection.dialect.name])).scalars())


def refuse_broken_references(connection: Connection) -> None:
    """Raise where a row names one that is not there; PostgreSQL lets it not come to this."""
    if connection.dialect.name == "sqlite" and connection.execute(text("PRAGMA foreign_key_check")).first():
        raise ConfigError(f"database: rows name others that do not exist; {RESTORE}")


@contextmanager
def half_migrated_on_fault() -> Iterator[None]:
    """A revision that does not fit the tables it finds."""
    try:
        yield
    except DBAPIError as error:
        raise ConfigError(
            f"database: half-migrated: its tables are not those of its revision ({error.orig}); {RESTORE}"
        ) from error


def shown(found: tuple[str, ...]) -> str:
    """Revisions in words."""
    return ", ".join(found) or "none"
