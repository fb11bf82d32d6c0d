"""`/admin/v1/tool-calls`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from autoglm.contract.base import RequestModel
from autoglm.contract.field import Slug
from autoglm.contract.tool_call import ToolCallPage
from cluster.control import tool_calls
from cluster.control.routes.admission import Desk, split
from serve_app.http.query import PageSize, query


class ToolCallQuery(RequestModel):
    """A tenant's calls, before the one of this id; everyone's, and the newest, without them."""

    tenant: Slug | None = None
    before: Annotated[int, Field(ge=1, le=2**62)] | None = None
    limit: PageSize = 100


Page = Annotated[ToolCallQuery, query(ToolCallQuery)]


def tool_call_routes(desk: Desk) -> APIRouter:
    """Tell who called which tool."""
    api = APIRouter(prefix="/tool-calls", dependencies=[Depends(desk.admin)])

    @api.get("", response_model=ToolCallPage)
    def listed(asked: Page) -> ToolCallPage:
        with desk.database.read() as session:
            found = tool_calls.page(session, tenant=asked.tenant, before=asked.before, limit=asked.limit + 1)
        data, has_more = split(found, asked.limit)
        return ToolCallPage(data=data, has_more=has_more)

    return api
