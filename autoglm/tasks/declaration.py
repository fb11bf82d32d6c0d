"""A task's declaration, from a dict to a checked `TaskConfig`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from autoglm.contract import BatchingConfig, DataConfig, TaskConfig
from autoglm.errors import ConfigError
from autoglm.suggestion import nearest

_SECTIONS: dict[str, type[BaseModel]] = {"batching": BatchingConfig, "data": DataConfig}


def parse_task(declared: Mapping[str, Any]) -> TaskConfig:
    """The checked declaration.

    Raises ConfigError for the first thing that is wrong, with the nearest known key for an unknown one.
    """
    try:
        return TaskConfig.model_validate(dict(declared))
    except ValidationError as error:
        raise ConfigError(_message(error)) from error


def _message(error: ValidationError) -> str:
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    name = ".".join(place)
    if first["type"] == "extra_forbidden":
        section = TaskConfig if len(place) == 1 else _SECTIONS[place[0]]
        return f"{name}: unknown key; {nearest(place[-1], section.model_fields)}"
    return f"{name}: {first['msg']}, got {first['input']!r:.80}"
