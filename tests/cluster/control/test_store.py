"""The folders of registered tasks: whole or not there."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from cluster.control.store import PARTIAL, Store


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "registered"


def put(store: Store, text: str) -> None:
    with store.aside() as aside:
        (aside / "task").mkdir()
        (aside / "task" / "a.json").write_text(text)
        store.place(aside / "task", "flowers", "v1")


def test_a_folder_is_placed_and_removed(root: Path) -> None:
    """At NAME/VERSION, and nothing is left beside it."""
    store = Store(root)
    put(store, "1")
    assert (root / "flowers" / "v1" / "a.json").read_text() == "1"
    assert store.folder("flowers", "v1") == root / "flowers" / "v1"
    store.remove("flowers", "v1")
    store.remove("flowers", "v1")
    assert list((root / "flowers").iterdir()) == []
    assert [path.name for path in root.iterdir()] == ["flowers"]


def test_what_a_kill_left_without_a_row_is_replaced(root: Path) -> None:
    """By the whole new folder, not file by file."""
    store = Store(root)
    (root / "flowers" / "v1").mkdir(parents=True)
    (root / "flowers" / "v1" / "old.json").touch()
    put(store, "2")
    assert [path.name for path in (root / "flowers" / "v1").iterdir()] == ["a.json"]


def test_a_failure_leaves_nothing(root: Path) -> None:
    """What was received goes with the request."""
    store = Store(root)

    def fail() -> None:
        with store.aside() as aside:
            (aside / "archive.zip").touch()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(root.iterdir()) == []


def test_what_a_killed_process_left_goes_and_what_another_holds_stays(root: Path) -> None:
    """A control plane that takes another's place may begin while that one still receives."""
    with Store(root).aside() as held:
        stale = root / f"{PARTIAL}stale"
        stale.mkdir()
        (stale / "archive.zip").touch()
        Store(root)
        assert held.exists()
        assert not stale.exists()


def test_changes_are_made_one_after_the_other(root: Path) -> None:
    """Whoever else opens the lock, in this process or another, finds it taken until the first is done."""
    store = Store(root)
    with store.changes(), (root / ".lock").open() as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with store.changes():
        pass
