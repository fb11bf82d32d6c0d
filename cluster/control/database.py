"""The control plane's database: SQLite in the home folder by default, PostgreSQL by URL."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from autoglm.errors import ConfigError, UnavailableError
from autoglm.home import home

BUSY_S = 10  # how long a transaction waits for another's lock, and a caller for a connection
CONNECT_S = 5
CONNECTIONS = 10  # at most; the admin API is one replica
DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
RETRY_S = 1.0


def default_url() -> str:
    """SQLite in the home folder."""
    return f"sqlite:///{home() / 'control.db'}"


class Database:
    """Sessions of one database, each one transaction.

    Args:
        url: `sqlite:///FILE`, or `postgresql://USER:PASSWORD@HOST/NAME`.
        foreign_keys: off only while a migration rebuilds SQLite's tables.

    Raises:
        ConfigError: the URL is none, or of another database.
    """

    def __init__(self, url: str | None = None, *, foreign_keys: bool = True) -> None:
        self.url = parsed(url or default_url())
        if self.is_sqlite:
            keep_private(Path(self.url.database or ""))
        self.engine = build_engine(self.url, foreign_keys=foreign_keys)
        self._reading = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level=SNAPSHOT)
        self._writing = self.engine.execution_options(writes=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite; else it is PostgreSQL."""
        return self.url.get_backend_name() == "sqlite"

    def __repr__(self) -> str:
        return f"Database({self.url.render_as_string(hide_password=True)!r})"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one moment of the database.

        Raises:
            UnavailableError: the database cannot be reached, or was locked for too long.
        """
        with told_plainly(), Session(self._reading, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are kept together, or not at all where it ends with an exception; raises as `read`.

        On SQLite it is alone from its beginning; on PostgreSQL rows that it counts on must be locked.
        """
        with told_plainly(), Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A writing transaction without objects, for migrations; raises as `read`."""
        with told_plainly(), self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


SNAPSHOT = "REPEATABLE READ"  # PostgreSQL's name of what SQLite's readers always have


def parsed(text: str) -> URL:
    """The URL with the driver that is installed. Messages hold no password."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise ConfigError(
            "database: this is no database URL; use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        ) from None
    if url.drivername not in DRIVERS:
        raise ConfigError(f"database: got {url.drivername}://…; use sqlite:///FILE or postgresql://…")
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ConfigError("database: SQLite in memory keeps nothing; name a file: sqlite:///FILE")
    return url.set(drivername=DRIVERS[url.drivername])


def keep_private(path: Path) -> None:
    """The file readable by its owner alone, made so if it is not there; SQLite gives its side files the same mode.

    Raises:
        ConfigError: it cannot be made, or is another's.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ConfigError(f"database: {path}: {error.strerror}; name a file that can be written") from error


def build_engine(url: URL, *, foreign_keys: bool) -> Engine:
    """Connections, bounded in number and in waiting. Statements' values are kept out of exceptions and logs."""
    is_sqlite = url.get_backend_name() == "sqlite"
    engine = create_engine(
        url,
        connect_args=sqlite_arguments() if is_sqlite else postgresql_arguments(),
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=BUSY_S,
        pool_pre_ping=not is_sqlite,  # a restarted server costs no request
        hide_parameters=True,
    )
    if is_sqlite:
        event.listen(engine, "connect", lambda connection, _: prepare_sqlite(connection, foreign_keys=foreign_keys))
        event.listen(engine, "begin", begin_sqlite)
    return engine


def sqlite_arguments() -> dict[str, Any]:
    """What Python's sqlite3 takes: without an isolation level it leaves transactions to `begin_sqlite`."""
    return {"timeout": BUSY_S, "isolation_level": None}


def postgresql_arguments() -> dict[str, Any]:
    """What libpq takes; the lock time-out is in milliseconds."""
    return {"connect_timeout": CONNECT_S, "options": f"-c timezone=UTC -c lock_timeout={BUSY_S * 1000}"}


def prepare_sqlite(connection: sqlite3.Connection, *, foreign_keys: bool) -> None:
    """Readers beside one writer, references checked."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")


def begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once: one that first read could not wait for it, but would fail."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def told_plainly() -> Iterator[None]:
    """The database's own faults as 503; they come from its log or ours, not from the caller."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        raise UnavailableError(
            "the control plane's database does not answer; its log has the cause", retry_after=RETRY_S
        ) from error
