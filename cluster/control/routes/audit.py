"""`/admin/v1/audit`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from autoglm.contract.audit import AuditPage
from autoglm.contract.base import RequestModel
from cluster.control import audit
from cluster.control.routes.admission import Desk, split
from serve_app.http.query import PageSize, query


class AuditQuery(RequestModel):
    """Entries before the one of this id; the newest without it."""

    before: Annotated[int, Field(ge=1, le=2**62)] | None = None
    limit: PageSize = 100


Page = Annotated[AuditQuery, query(AuditQuery)]


def audit_routes(desk: Desk) -> APIRouter:
    """Tell who did what."""
    api = APIRouter(prefix="/audit", dependencies=[Depends(desk.admin)])

    @api.get("", response_model=AuditPage)
    def listed(asked: Page) -> AuditPage:
        with desk.database.read() as session:
            data, has_more = split(audit.page(session, before=asked.before, limit=asked.limit + 1), asked.limit)
        return AuditPage(data=data, has_more=has_more)

    return api
