"""The limits of a key or a tenant as a router replica knows them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from deployments.quota.subject import Subject


class QuotaView(BaseModel):
    """Limits by the names of `LIMITS`; None is none. The budget is in millionths of the currency."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["key", "tenant"]
    subject: str
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    requests_per_day: int | None = None
    tokens_per_day: int | None = None
    budget_micros: int | None = None

    @property
    def owner(self) -> Subject:
        """Whose limits they are."""
        return Subject(self.kind, self.subject)
