"""Quotas as the administrator sets them."""

from __future__ import annotations

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from autoglm.contract.quota import QuotaCard, QuotaRequest
from autoglm.errors import NotFoundError
from cluster.control import epoch, upsert
from cluster.control.tables import Key, Quota, Tenant
from deployments.quota.subject import Subject
from deployments.quota.windows import MICROS


def put(session: Session, subject: Subject, asked: QuotaRequest) -> QuotaCard:
    """Set all limits of a key or a tenant; what it has used in its windows stays used.

    Raises:
        NotFoundError: there is no such key or tenant.
    """
    owner: type[Key | Tenant] = Key if subject.kind == "key" else Tenant
    if session.get(owner, subject.id) is None:
        raise NotFoundError(
            f"subject: there is no {subject.kind} of this name; a tenant is made with its first key", param="subject"
        )
    limits = asked.model_dump(exclude={"budget"})
    limits["budget_micros"] = None if asked.budget is None else round(asked.budget * MICROS)
    upsert.put(session, Quota, {"kind": subject.kind, "subject": subject.id}, limits)
    epoch.advance(session)
    return QuotaCard(kind=subject.kind, subject=subject.id, **asked.model_dump())


def page(session: Session, *, after: Subject | None, limit: int) -> list[QuotaCard]:
    """At most `limit` quotas by kind and subject, from the one behind `after`."""
    query = select(Quota).order_by(Quota.kind, Quota.subject).limit(limit)
    if after is not None:
        query = query.where(tuple_(Quota.kind, Quota.subject) > (after.kind, after.id))
    return [card(quota) for quota in session.scalars(query)]


def card(quota: Quota) -> QuotaCard:
    """A quota as it is listed."""
    return QuotaCard.model_validate(
        {
            "kind": quota.kind,
            "subject": quota.subject,
            "requests_per_minute": quota.requests_per_minute,
            "tokens_per_minute": quota.tokens_per_minute,
            "requests_per_day": quota.requests_per_day,
            "tokens_per_day": quota.tokens_per_day,
            "budget": None if quota.budget_micros is None else quota.budget_micros / MICROS,
        }
    )
