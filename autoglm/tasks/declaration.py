"""A task's declaration, from a dict or a file to a checked `TaskConfig`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from autoglm.contract import BatchingConfig, DataConfig, FitConfig, TaskConfig
from autoglm.errors import ConfigError
from autoglm.suggestion import nearest

_SECTIONS: dict[str, type[BaseModel]] = {"batching": BatchingConfig, "data": DataConfig, "fit": FitConfig}


def parse_task(declared: Mapping[str, Any]) -> TaskConfig:
    """The checked declaration.

    Raises ConfigError for the first thing that is wrong, with the nearest known key for an unknown one.
    """
    try:
        return TaskConfig.model_validate(dict(declared))
    except ValidationError as error:
        raise ConfigError(_message(error)) from error


def read_task(path: Path) -> TaskConfig:
    """The declaration in a YAML or JSON file.

    Raises ConfigError, naming the file, where it cannot be read or declares something wrong.
    """
    try:
        text = path.expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    declared = _parsed_json(text, path) if path.suffix.lower() == ".json" else _parsed_yaml(text, path)
    if not isinstance(declared, dict):
        raise ConfigError(f"{path}: holds {type(declared).__name__}; a mapping such as `task: …` is expected")
    try:
        return parse_task(declared)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}") from error


def _parsed_json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}: not JSON: {error}") from error


def _parsed_yaml(text: str, path: Path) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise ConfigError(f"{path}: YAML needs pyyaml (pip install pyyaml); a .json file needs nothing") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error


def _message(error: ValidationError) -> str:
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    name = ".".join(place)
    if first["type"] == "extra_forbidden":
        section = TaskConfig if len(place) == 1 else _SECTIONS[place[0]]
        return f"{name}: unknown key; {nearest(place[-1], section.model_fields)}"
    return f"{name}: {first['msg'].removeprefix('Value error, ')}, got {first['input']!r:.80}"
