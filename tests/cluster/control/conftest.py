"""Both databases: whatever is tested here holds on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from cluster.control import migrate
from cluster.control.database import Database
from tests.cluster.control.postgresql import running

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    with running() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of the test's own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'control.db'}"
    server: str = request.getfixturevalue("postgresql")
    # A schema, not a database: its 300 files would take longer than the test. A role's own schema comes first.
    role = f"test_{next(NUMBERS)}"
    with closing(Database(server.format("autoglm"))) as database, database.connection() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))
        connection.execute(text(f"CREATE SCHEMA AUTHORIZATION {role}"))
    return server.format(role)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database."""
    migrate.upgrade(database_url)
    with closing(Database(database_url)) as database:
        yield database


@pytest.fixture
def now() -> datetime:
    """20 seconds into a minute, 12 hours into a day."""
    return datetime(2026, 3, 1, 12, 0, 20, tzinfo=UTC)
