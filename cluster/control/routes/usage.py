"""`/admin/v1/usage`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from autoglm.contract.base import RequestModel
from autoglm.contract.usage_report import UsageDimension, UsageReport
from cluster.control import usage
from cluster.control.routes.admission import Desk, query, split

MAX_ROWS = 10_000


class UsageQuery(RequestModel):
    """Which sums (`by` is given once for each dimension), over which days, in which form."""

    by: list[UsageDimension] = Field(default=["key", "model", "day"], min_length=1, max_length=4)
    since: date | None = None
    until: date | None = None
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
            return Response(usage.as_csv(data, by), media_type="text/csv")
        return UsageReport(data=data, has_more=has_more)

    return api
