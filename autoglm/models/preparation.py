"""Making a folder or file once: safe against two processes at once and against a kill half-way."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from autoglm.errors import ModelError

_PARTIAL = ".partial"


def make_once(target: Path, build: Callable[[Path], None]) -> Path:
    """`target`, built by `build(partial)` where it does not exist yet; `build` gets a path inside an empty folder.

    The result appears whole or not at all: it is built aside on the same filesystem and renamed. What a killed
    process left is removed by the next one; the lock dies with its process, so whoever holds it may do that.
    """
    if target.exists():
        return target
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with exclusive(target.parent / f".{target.name}.lock"):
        if not target.exists():
            _remove_stale(target)
            _build(target, build)
    return target


def check_sha256(path: Path, expected: str) -> None:
    """Raises ModelError where the file's SHA-256 is not the pinned one."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise ModelError(f"{path}: SHA-256 is {found}, expected {expected}; reinstall the package that it came in")


def _build(target: Path, build: Callable[[Path], None]) -> None:
    aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=_PARTIAL))
    try:
        build(aside / target.name)
        os.rename(aside / target.name, target)
    finally:
        shutil.rmtree(aside)


def _remove_stale(target: Path) -> None:
    for stale in target.parent.glob(f".{target.name}.*{_PARTIAL}"):
        shutil.rmtree(stale)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Alone among all threads and processes that lock this file, which is made; the lock dies with its process."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
