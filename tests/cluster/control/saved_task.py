"""Small saved tasks, and the archives that bring them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autoglm.contract import TaskConfig
from autoglm.models.head import Head
from autoglm.tasks.saved import checksums, write_saved

IRIS: dict[str, Any] = {"task": "tabular-classification", "data": {"train": "flowers.csv"}, "metrics": ["f1"]}


def saved(folder: Path, seed: int = 0, **declared: Any) -> Path:
    """The folder of a table's task with a head of random weights."""
    head = folder.with_suffix(".head")
    weight = np.random.default_rng(seed).normal(size=(2, 3)).astype(np.float32)
    Head(("a", "b", "c"), weight, np.zeros(3, np.float32), columns=("width", "height")).save(head)
    return write_saved(folder, TaskConfig.model_validate({**IRIS, **declared}), head)


def members(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, by name."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def zipped(content: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """An archive of these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return file.getvalue()


def resealed(folder: Path, content: Mapping[str, bytes]) -> Path:
    """The folder with these members put in, and a manifest that fits them, as a forger would do it."""
    for name, data in content.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "manifest.json").write_text(json.dumps({"version": 1, "files": checksums(folder)}))
    return folder
