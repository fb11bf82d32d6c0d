"""`/admin/v1/usage`."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from autoglm.contract.base import RequestModel
from autoglm.contract.field import Day
from autoglm.contract.usage_report import HAS_MORE_HEADER, MAX_ROWS, UsageDimension, UsageReport
from cluster.control import usage
from cluster.control.routes.admission import Desk, split
from serve_app.http.query import query


class UsageQuery(RequestModel):
    """Which sums (`by` is given once for each dimension), over which days, in which form."""

    by: list[UsageDimension] = Field(default=["key", "model", "day"], min_length=1, max_length=4)
    since: Day | None = None
    until: Day | None = None
    format: Literal["json", "csv"] = "json"
    limit: Annotated[int, Field(ge=1, le=MAX_ROWS)] = 1000


Page = Annotated[UsageQuery, query(UsageQuery)]


def usage_routes(desk: Desk) -> APIRouter:
    """Tell what was used."""
    api = APIRouter(prefix="/usage", dependencies=[Depends(desk.admin)])

    @api.get("", response_model=UsageReport, responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}})
    def report(asked: Page) -> UsageReport | Response:
        by = list(dict.fromkeys(asked.by))
        with desk.database.read() as session:
            found = usage.totals(session, by, since=asked.since, until=asked.until, limit=asked.limit + 1)
        data, has_more = split(found, asked.limit)
        if asked.format == "csv":
            headers = {HAS_MORE_HEADER: str(has_more).lower()}
            return Response(usage.as_csv(data, by), media_type="text/csv", headers=headers)
        return UsageReport(data=data, has_more=has_more)

    return api
