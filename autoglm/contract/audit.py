"""`GET /admin/v1/audit`: who did what to which object, from where."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from autoglm.contract.base import ResponseModel
from autoglm.contract.field import Moment


class AuditEntry(ResponseModel):
    """One administrative action."""

    id: int
    at: Moment
    actor: str
    action: str
    object: str
    detail: dict[str, Any] = Field(default_factory=dict)
    address: str = ""


class AuditPage(ResponseModel):
    """Entries, the newest first; with `has_more`, the next page is asked for with `before` = the last id."""

    data: tuple[AuditEntry, ...]
    has_more: bool = False
