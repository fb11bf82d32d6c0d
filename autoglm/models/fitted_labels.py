"""The labels of a fitted task, read without loading its weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autoglm.contract import TaskConfig
from autoglm.errors import ModelError
from autoglm.models import embedded, labels
from autoglm.models.head_file import read_metadata


def fitted_labels(config: TaskConfig, fitted: Path | None) -> tuple[str, ...] | None:
    """In the order of the scores; the declared ones where nothing was fitted, None where there are none.

    `fitted` is a head's file or a model's folder.

    Raises ModelError where it is damaged, ConfigError where other labels are declared.
    """
    if config.task == "tabular-regression":
        return None
    place = fitted or embedded.shipped_head(config.model or "")
    if place is None:
        return None if config.labels is None else tuple(config.labels)
    return labels.match(_of_model(place) if place.is_dir() else _of_head(place), config.labels)


def _of_head(path: Path) -> list[str]:
    return _checked(read_metadata(path).get("labels"), path)


def _of_model(folder: Path) -> list[str]:
    path = folder / "config.json"
    try:
        names = json.loads(path.read_bytes())["id2label"]
        return _checked([names[str(index)] for index in range(len(names))], path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: no id2label that can be read ({error}); save the task anew") from error


def _checked(names: Any, path: Path) -> list[str]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ModelError(f"{path}: its labels are no list of texts; save the task anew")
    return names
