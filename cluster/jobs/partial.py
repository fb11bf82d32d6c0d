"""A file that grows beside its place and is moved there when it is whole."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import BinaryIO

from autoglm.errors import ConfigError


class PartialFile:
    """`TARGET.partial`. While it is open no other process can open it."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".partial")
        self._file: BinaryIO | None = None
        self.size = 0  # bytes appended, written through or not

    def open(self) -> None:
        """Open for appending, with a lock that dies with the process.

        Raises:
            ConfigError: it cannot be written, or another process has it open.
        """
        try:
            file = self.path.open("ab")
        except OSError as error:
            raise ConfigError(f"output: {self.path} cannot be written ({error.strerror}); name another") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise ConfigError(f"output: another job is writing {self.target}; wait for it, or name another") from None
        self._file = file

    def truncate(self, size: int) -> None:
        """Forget what was written after the first `size` bytes.

        Raises:
            ConfigError: the file does not hold as many.
        """
        found = os.fstat(self._opened.fileno()).st_size
        if found < size:
            raise ConfigError(f"output: {self.path} holds {found} bytes where {size} were written; remove it")
        self._opened.truncate(size)
        self.size = size

    def append(self, content: bytes) -> None:
        """Add to the end; on disk after `sync`."""
        self._opened.write(content)
        self.size += len(content)

    def sync(self) -> None:
        """Put everything on disk."""
        self._opened.flush()
        os.fsync(self._opened.fileno())

    def close(self) -> None:
        """Release the file, and remove it where it is empty; harmless where it is not open."""
        if self._file is None:
            return
        self._file.flush()
        if not os.fstat(self._file.fileno()).st_size:
            self.discard()
        self._file.close()
        self._file = None

    def publish(self) -> None:
        """Move it to its place; harmless where that was done."""
        if self.path.exists():
            os.replace(self.path, self.target)

    def discard(self) -> None:
        """Remove it; harmless where it is not there."""
        self.path.unlink(missing_ok=True)

    @property
    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise ValueError(f"{self.path} is not open")
        return self._file
