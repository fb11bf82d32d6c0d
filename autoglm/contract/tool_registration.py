"""`/admin/v1/tools`: entries of tools that were registered on the running cluster."""

from __future__ import annotations

from typing import Any, Literal

from autoglm.contract.base import ResponseModel
from autoglm.contract.field import Moment

ToolStatus = Literal["loading", "loaded", "failed"]


class ToolRegistration(ResponseModel):
    """An entry in the form of the file's `tools:`; secrets are in it by reference alone.

    It is `loaded` once each of the `replicas` of its host that told of it has loaded it, and `failed` where one of them
    could not, or where what it comes from has gone; both are tried again. `message` says why, or what of it is not
    offered.
    """

    name: str
    entry: dict[str, Any]
    created: Moment
    status: ToolStatus = "loading"
    message: str = ""
    replicas: int = 0
    loaded: int = 0


class ToolRegistrationList(ResponseModel):
    """Entries by name; `has_more` says that there are others after the last."""

    data: tuple[ToolRegistration, ...]
    has_more: bool = False
