"""Unpacking a zip archive into a folder and nowhere else."""

from __future__ import annotations

import zipfile
from pathlib import Path

from autoglm.errors import ModelError


def unpack(archive: Path, folder: Path) -> None:
    """Unpack every file below `folder`, which is made.

    Raises ModelError, before anything is written, where a name leads out of the folder.
    """
    root = folder.resolve()
    with zipfile.ZipFile(archive) as packed:
        for name in packed.namelist():
            if not (root / name).resolve().is_relative_to(root):
                raise ModelError(f"{archive}: the entry {name!r} leads out of the folder; the archive is not trusted")
        packed.extractall(root)
