"""Models made ready on disk before any replica asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from autoglm.contract import TaskConfig
from serve_app.config import ClusterConfig


def prepare_models(config: ClusterConfig, progress: Callable[[str], None]) -> None:
    """Prepare every model and task of the file, in a process of its own: what it imports is freed with it.

    Raises:
        ModelError: a source is unknown, or cannot be prepared.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        for name, declaration in declarations(config):
            progress(name)
            process.submit(prepare_model, declaration.model_dump_json(exclude_unset=True)).result()


def declarations(config: ClusterConfig) -> Iterator[tuple[str, TaskConfig]]:
    """All that must be on disk, by the name it is declared under."""
    for model in config.models:
        for version in model.versions:
            yield model.name, TaskConfig(task=model.task, model=version.source)
    for task in config.tasks:
        yield task.name, task.declaration()


def prepare_model(declaration: str) -> None:
    """Prepare one declaration; runs in the preparing process."""
    from autoglm.models import prepare

    prepare(TaskConfig.model_validate_json(declaration))
