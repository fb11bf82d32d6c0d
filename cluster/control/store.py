"""The files of registered tasks: `ROOT/NAME/VERSION`, each folder there as a whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autoglm.home import home
from autoglm.models.preparation import exclusive

PARTIAL = ".partial-"  # no name begins with a dot


def default_root() -> Path:
    """`registered` in the home folder."""
    return home() / "registered"


class Store:
    """Folders below `root`. What a killed process left half-way goes when the next one begins."""

    def __init__(self, root: Path) -> None:
        self._root = root
        for stale in root.glob(f"{PARTIAL}*"):
            remove_unheld(stale)

    def folder(self, name: str, version: str) -> Path:
        """Where a version lies, or would lie."""
        return self._root / name / version

    @contextmanager
    def aside(self) -> Iterator[Path]:
        """An empty folder on the same file system; what is still in it at the end goes."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = Path(tempfile.mkdtemp(dir=self._root, prefix=PARTIAL))
        try:
            with held(path):
                yield path
        finally:
            shutil.rmtree(path)

    @contextmanager
    def changes(self) -> Iterator[None]:
        """Alone with folders and rows, which no transaction holds together."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(self._root / ".lock"):
            yield

    def place(self, folder: Path, name: str, version: str) -> None:
        """Make `folder` the version's, by a rename; one without a row, which a kill left there, goes."""
        self.remove(name, version)
        target = self.folder(name, version)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        os.rename(folder, target)

    def remove(self, name: str, version: str) -> None:
        """Take the version's folder away, if it is there: out of its place at once, then file by file."""
        target = self.folder(name, version)
        if target.exists():
            with self.aside() as aside:
                os.rename(target, aside / version)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """The folder marked as in use by a lock that dies with its process."""
    with path_descriptor(path) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def path_descriptor(path: Path) -> Iterator[int]:
    """The folder opened, to lock it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def remove_unheld(path: Path) -> None:
    """Remove a folder that no process has in use."""
    with path_descriptor(path) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another control plane, which this one replaces, still receives an upload
        shutil.rmtree(path)
