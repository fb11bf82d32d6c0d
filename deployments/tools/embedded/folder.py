"""The text files of a folder, read in passages: what lies in it, and nothing that a link leads to."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = frozenset({".csv", ".htm", ".html", ".json", ".md", ".rst", ".txt", ".yaml", ".yml"})
MAX_FILES = 5000
MAX_FILE_BYTES = 2 * 1024 * 1024
MAX_BYTES = 64 * 1024 * 1024  # of all files; indexed they take some ten times as much memory
PASSAGE_CHARS = 800  # about what a prompt bears of each

Version = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a file; `path` is from the folder on."""

    path: str
    text: str


def passages(folder: Path) -> list[Passage]:
    """Of all files, in the order of their paths; what is above the limits is left out.

    Raises:
        OSError: the folder cannot be read.
    """
    return [Passage(path, part) for path, text in files(folder) for part in parts(text)]


def files(folder: Path) -> Iterator[tuple[str, str]]:
    """Path and text of each file. Opened from its folder's descriptor, so that no link can lead out meanwhile."""
    count, size = 0, 0
    os.stat(folder)  # os.fwalk passes a folder over that is not there
    for root, folders, names, descriptor in os.fwalk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith(".") or Path(name).suffix.lower() not in SUFFIXES:
                continue
            content = read(name, descriptor)
            if content is None:
                continue
            count, size = count + 1, size + len(content)
            if count > MAX_FILES or size > MAX_BYTES:
                return
            yield str(Path(root, name).relative_to(folder)), content.decode("utf-8", "replace")


def read(name: str, folder: int) -> bytes | None:
    """A plain file of a bearable size, else None: no link, no pipe that never ends."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return None  # it went, is a link, or is not for this user
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:
            return None
        return file.read(MAX_FILE_BYTES)


def parts(text: str) -> Iterator[str]:
    """Paragraphs, joined while they are short and cut where they are long."""
    part = ""
    for paragraph in text.split("\n\n"):
        if part and len(part) + len(paragraph) > PASSAGE_CHARS:
            yield part
            part = ""
        part = f"{part}\n\n{paragraph}".strip()
        while len(part) > PASSAGE_CHARS:
            yield part[:PASSAGE_CHARS]
            part = part[PASSAGE_CHARS:]
    if part:
        yield part
