"""`/admin/v1/tools`: entries of tools that were registered on the running cluster."""

from __future__ import annotations

from typing import Any

from autoglm.contract.base import ResponseModel
from autoglm.contract.field import Moment


class ToolRegistration(ResponseModel):
    """An entry in the form of the file's `tools:`; secrets are in it by reference alone."""

    name: str
    entry: dict[str, Any]
    created: Moment


class ToolRegistrationList(ResponseModel):
    """Entries by name; `has_more` says that there are others after the last."""

    data: tuple[ToolRegistration, ...]
    has_more: bool = False
