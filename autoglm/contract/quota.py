"""`/admin/v1/quotas`: how much a key or a tenant may use."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from autoglm.contract.base import RequestModel, ResponseModel
from autoglm.contract.field import Count

QuotaKind = Literal["key", "tenant"]
Money = Annotated[float, Field(ge=0, le=10**9, allow_inf_nan=False)]


class QuotaRequest(RequestModel):
    """Limits; null is none. Minutes and days are UTC's; the budget is for ever, in the currency of the prices."""

    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    requests_per_day: Count | None = None
    tokens_per_day: Count | None = None
    budget: Money | None = None


class QuotaCard(ResponseModel):
    """The limits of one key or tenant."""

    kind: QuotaKind
    subject: str
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    requests_per_day: int | None = None
    tokens_per_day: int | None = None
    budget: float | None = None


class QuotaList(ResponseModel):
    """Quotas by kind and subject; `has_more` says that there are others after the last."""

    data: tuple[QuotaCard, ...]
    has_more: bool = False
