"""`GET /admin/v1/usage`: what was used, by key, tenant, model and day."""

from __future__ import annotations

from datetime import date
from typing import Literal

from autoglm.contract.base import ResponseModel

UsageDimension = Literal["key", "tenant", "model", "day"]
MAX_ROWS = 10_000  # of one report
HAS_MORE_HEADER = "x-has-more"  # `true` or `false`: what `has_more` says, where the report is CSV


class UsageRow(ResponseModel):
    """A sum; the dimensions that were not asked for are null."""

    key: str | None = None
    tenant: str | None = None
    model: str | None = None
    day: date | None = None
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0


class UsageReport(ResponseModel):
    """Sums in the order of their dimensions; `has_more` says that the days asked for hold more rows."""

    data: tuple[UsageRow, ...]
    has_more: bool = False
