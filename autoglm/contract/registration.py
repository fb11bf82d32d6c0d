"""`/admin/v1/tasks`: fitted tasks that became versions on a running cluster."""

from __future__ import annotations

from typing import Literal

from autoglm.contract.base import ResponseModel
from autoglm.contract.field import Moment
from autoglm.contract.task import TaskType

MAX_ARCHIVE_BYTES = 2 * 1024**3  # of a saved task, packed and unpacked: a model of 500 million float32 weights

RegistrationStatus = Literal["registered", "deploying", "running", "failed"]


class RegistrationCard(ResponseModel):
    """One version of a task; `sha256` tells its content from any other's, `message` why it failed."""

    name: str
    version: str
    task: TaskType
    model: str
    sha256: str
    created: Moment
    status: RegistrationStatus
    message: str = ""
    labels: tuple[str, ...] | None = None


class RegistrationList(ResponseModel):
    """Versions by name and version; `has_more` says that there are others after the last."""

    data: tuple[RegistrationCard, ...]
    has_more: bool = False
