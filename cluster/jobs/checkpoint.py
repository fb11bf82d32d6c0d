"""How far a job has come: a small file beside its output, replaced as a whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from autoglm.errors import ConfigError
from cluster.jobs.rows import Position


class Fingerprint(BaseModel):
    """What makes two runs the same work.

    The input counts by its content: a resubmitted job finds it under another path, with another time stamp.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    input_fields: tuple[str, ...]
    input_format: str
    input_sha256: str


class Checkpoint(BaseModel):
    """The rows done, the place in the input after them, and the bytes that they take in the partial files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fingerprint: Fingerprint
    position: Position = Position()
    rows: int = 0
    bad: int = 0
    output_bytes: int = 0
    errors_bytes: int = 0
    complete: bool = False


def fingerprint(task: str, source: Path, fields: Sequence[str]) -> Fingerprint:
    """The fingerprint of a task over an input file, which is read once for it."""
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Fingerprint(task=task, input_fields=tuple(fields), input_format=source.suffix.lower(), input_sha256=digest)


def read_checkpoint(path: Path) -> Checkpoint | None:
    """The checkpoint of an earlier run, if there was one.

    Raises:
        ConfigError: the file holds something else.
    """
    try:
        return Checkpoint.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise ConfigError(f"output: {path} is no checkpoint; remove it to begin anew") from error


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint: after a kill or a power cut either the old one is there or the new one."""
    aside = path.with_name(path.name + ".new")
    with aside.open("w") as file:
        file.write(checkpoint.model_dump_json())
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)
