"""What an unpacked archive must be before it is registered: a saved task, unchanged, that this cluster can serve."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from autoglm.contract import TaskConfig
from autoglm.errors import ConfigError, ModelError, UnprocessableEntityError
from autoglm.models import embedded
from autoglm.models.fitted_labels import fitted_labels
from autoglm.models.source import resolve
from autoglm.tasks.saved import checksums, read_saved
from cluster.control.task_archive import refused
from deployments.router.router import PREDICTING

# A server fits nothing and fetches nothing, so what was for that stays behind; the name is the registration's.
LEFT_OUT = {"name", "data", "fit", "metrics", "allow_urls"}
MAX_MODEL = 200  # characters of its name
MAX_LABELS = 200_000  # characters in all: ImageNet's 1,000 have 18,000


@dataclass(frozen=True, slots=True)
class Content:
    """A verified folder: the declaration to serve it by, with its labels where they are known, and its SHA-256."""

    declaration: TaskConfig
    sha256: str


def verified(folder: Path) -> Content:
    """The content of an unpacked archive.

    Raises:
        UnprocessableEntityError: it is damaged or no saved task, or a task that this cluster cannot serve.
    """
    try:
        config, fitted = read_saved(folder)
        check_served(config, fitted)
        labels = fitted_labels(config, fitted)
        check_labels(labels)
    except (ConfigError, ModelError) as error:
        raise refused(error.message.replace(f"{folder}/", "").replace(str(folder), "its folder")) from error
    except (RuntimeError, ValueError) as error:  # JSON nested too deeply, numbers too long, paths that are none
        raise refused(f"cannot be read ({type(error).__name__}); send the folder that AutoTask.save wrote") from error
    return Content(served_by(config, labels), content_sha256(folder))


def check_served(config: TaskConfig, fitted: Path | None) -> None:
    """Raises UnprocessableEntityError or ConfigError for a task that no predictor of this cluster can answer."""
    if config.task not in PREDICTING:
        raise UnprocessableEntityError(
            f"task: {config.task} is not deployed as a fitted task; declare it under `models` in the cluster's file",
            param="task",
        )
    is_fitted_here = config.task.startswith("tabular") or (config.data is not None and config.data.train is not None)
    if fitted is None and is_fitted_here:
        raise refused("holds nothing fitted; AutoTask.save fits the task and saves what was fitted")
    if fitted is None or fitted.is_file():
        check_model(config.model)


def check_model(model: str | None) -> None:
    """Raises ConfigError for a model that this server cannot have: an unknown embedded name, or another's folder."""
    if model is not None and len(model) > MAX_MODEL:
        raise ConfigError(f"model: got {len(model):,} characters; at most {MAX_MODEL} do")
    if model is not None and model.startswith(embedded.PREFIX):
        embedded.check_name(model.removeprefix(embedded.PREFIX))
    elif model is not None:
        resolve(model)


def check_labels(labels: tuple[str, ...] | None) -> None:
    """Raises ConfigError for more than a list of models may show."""
    if sum(map(len, labels or ())) > MAX_LABELS:
        raise ConfigError(f"labels: they have more than {MAX_LABELS:,} characters in all")


def served_by(config: TaskConfig, labels: tuple[str, ...] | None) -> TaskConfig:
    """The declaration that a predictor gets."""
    declared = config.model_dump(exclude_unset=True, exclude=LEFT_OUT)
    return TaskConfig.model_validate(declared | {"labels": None if labels is None else list(labels)})


def content_sha256(folder: Path) -> str:
    """Of all files' checksums: the same task packed in another way is the same content."""
    return hashlib.sha256(json.dumps(checksums(folder), sort_keys=True).encode()).hexdigest()
