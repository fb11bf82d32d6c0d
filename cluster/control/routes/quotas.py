"""`/admin/v1/quotas`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from autoglm.contract.base import RequestModel
from autoglm.contract.field import Slug
from autoglm.contract.quota import QuotaCard, QuotaKind, QuotaList, QuotaRequest
from cluster.control import audit, limits
from cluster.control.audit import Actor
from cluster.control.routes.admission import Desk, body, split
from deployments.quota.subject import Subject
from serve_app.http.query import PageSize, query
from serve_app.http.schema import body_of, errors


class QuotaQuery(RequestModel):
    """From which quota on: the kind and the subject of the last one seen."""

    after_kind: QuotaKind = "key"
    after: Slug | None = None
    limit: PageSize = 100


Asked = Annotated[QuotaRequest, body(QuotaRequest)]
Page = Annotated[QuotaQuery, query(QuotaQuery)]


def quota_routes(desk: Desk) -> APIRouter:
    """Set and list quotas."""
    api = APIRouter(prefix="/quotas", dependencies=[Depends(desk.admin)])

    @api.put("/{kind}/{subject}", response_model=QuotaCard, responses=errors(404), openapi_extra=body_of(QuotaRequest))
    def put(kind: QuotaKind, subject: Slug, asked: Asked, actor: Actor = Depends(desk.admin)) -> QuotaCard:
        with desk.database.write() as session:
            card = limits.put(session, Subject(kind, subject), asked)
            audit.record(session, actor, "quotas.put", f"{kind}:{subject}", asked.model_dump(), desk.clock())
        return card

    @api.get("", response_model=QuotaList)
    def listed(asked: Page) -> QuotaList:
        after = None if asked.after is None else Subject(asked.after_kind, asked.after)
        with desk.database.read() as session:
            data, has_more = split(limits.page(session, after=after, limit=asked.limit + 1), asked.limit)
        return QuotaList(data=data, has_more=has_more)

    return api
