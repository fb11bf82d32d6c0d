"""A home of each test's own, and small tables."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOGLM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def write_table(tmp_path: Path) -> Callable[..., str]:
    """Writes a CSV file of rows and labels, its columns named a, b, c, … by default."""

    def write(name: str, rows: Any, labels: Any, columns: Sequence[str] | None = None) -> str:
        path = tmp_path / name
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*(columns or [chr(ord("a") + i) for i in range(len(rows[0]))]), "label"])
            writer.writerows([*row, label] for row, label in zip(rows, labels, strict=True))
        return str(path)

    return write
