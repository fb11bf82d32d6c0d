"""Connections: private, alone where they write, plain when they fail."""

from __future__ import annotations

import contextlib
import stat
import threading
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from autoglm.errors import ConfigError, UnavailableError
from cluster.control import epoch, migrate
from cluster.control.database import Database, default_url
from cluster.control.tables import Epoch, Key


def test_the_default_is_in_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """AUTOGLM_HOME moves it with everything else."""
    monkeypatch.setenv("AUTOGLM_HOME", str(tmp_path))
    assert default_url() == f"sqlite:///{tmp_path}/control.db"


def test_sqlites_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    """The write-ahead log holds the same hashes as the file, and a file that was open to others is closed."""
    path = tmp_path / "control.db"
    path.touch(mode=0o644)
    migrate.upgrade(f"sqlite:///{path}")
    with closing(Database(f"sqlite:///{path}")) as database, database.write() as session:
        epoch.advance(session)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {"control.db": 0o600, "control.db-wal": 0o600, "control.db-shm": 0o600}


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://root:hunter2@host/x", "got mysql://"),
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
        ("nonsense hunter2", "no database URL"),
        ("sqlite:////proc/no/control.db", "name a file that can be written"),
    ],
)
def test_a_wrong_url_is_refused_without_its_password(url: str, message: str) -> None:
    """The message says which URLs would do."""
    with pytest.raises(ConfigError, match=message) as refused:
        Database(url)
    assert "hunter2" not in str(refused.value)


def test_the_password_is_not_shown() -> None:
    """A Database in a log or a traceback tells no secret."""
    with closing(Database("postgresql://autoglm:hunter2@127.0.0.1:1/x")) as database:
        assert "hunter2" not in repr(database) + repr(database.engine)


def test_a_database_that_does_not_answer_is_a_503() -> None:
    """The caller hears that it may come back, and neither host nor statement."""
    with closing(Database("postgresql://autoglm:hunter2@127.0.0.1:1/x")) as database:
        with pytest.raises(UnavailableError) as refused, database.read() as session:
            epoch.current(session)
        assert refused.value.retry_after
        assert "127.0.0.1" not in refused.value.message


def test_a_change_is_kept_together_or_not_at_all(database: Database) -> None:
    """An exception in the middle leaves nothing."""
    with contextlib.suppress(KeyError), database.write() as session:
        epoch.advance(session)
        raise KeyError
    with database.read() as session:
        assert epoch.current(session) == 0


def test_a_key_needs_its_tenant(database: Database, now: datetime) -> None:
    """References are checked, which SQLite does only when asked."""
    with pytest.raises(IntegrityError) as refused, database.write() as session:
        session.add(
            Key(
                id="k",
                prefix="p",
                hash=b"hunter2",
                name="n",
                tenant="none",
                scopes=[],
                models=None,
                created=now,
                expires=None,
                revoked=None,
            )
        )
    assert "hunter2" not in str(refused.value)


def test_writers_wait_for_each_other(database: Database) -> None:
    """Parallel changes of one row are all counted, none fails."""

    def advance() -> None:
        for _ in range(10):
            with database.write() as session:
                session.scalars(select(Epoch)).one()  # a read before the write is what a late lock would fail on
                epoch.advance(session)

    threads = [threading.Thread(target=advance) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert epoch.current(session) == 60


def test_a_reader_sees_one_moment(database: Database) -> None:
    """What is written meanwhile belongs to the next snapshot."""
    with database.read() as session:
        before = epoch.current(session)
        with database.write() as writer:
            epoch.advance(writer)
        session.expire_all()
        assert epoch.current(session) == before
