"""The file of a fitted head: named arrays and a little metadata, in safetensors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoglm.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_METADATA = "head"  # one key: safetensors writes several in no fixed order, and the file is to be reproducible


def write_head(path: Path, arrays: dict[str, NDArray[Any]], metadata: dict[str, Any]) -> None:
    """Write one file, the same bytes for the same content."""
    from safetensors.numpy import save_file

    save_file(arrays, path, metadata={_METADATA: json.dumps(metadata, sort_keys=True)})


def read_head(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """What `write_head` wrote; ModelError where the file is something else."""
    with _opened(path) as file:
        names = list(file.keys())
        return {name: file.get_tensor(name) for name in names}, _metadata(file)


def read_metadata(path: Path) -> dict[str, Any]:
    """The metadata alone, whatever the size of the arrays; ModelError where the file is something else."""
    with _opened(path) as file:
        return _metadata(file)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise not_a_head(path, error) from error


def _metadata(file: Any) -> dict[str, Any]:
    metadata = json.loads(file.metadata()[_METADATA])
    if not isinstance(metadata, dict):
        raise TypeError(f"its metadata are {type(metadata).__name__}, no mapping")
    return metadata


def not_a_head(path: Path, error: Exception) -> ModelError:
    """The refusal of a file that is damaged or of another kind."""
    return ModelError(f"{path} is no fitted head ({error}); remove it and fit again")
