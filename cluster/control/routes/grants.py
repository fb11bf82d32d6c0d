"""`/admin/v1/grants`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import StringConstraints

from autoglm.contract.base import RequestModel
from autoglm.contract.field import Slug
from autoglm.contract.grant import Grant, GrantCard, GrantKind, GrantList
from cluster.control import audit, grants
from cluster.control.audit import Actor
from cluster.control.routes.admission import Desk, body, split
from serve_app.http.query import PageSize, query
from serve_app.http.schema import body_of, errors

GrantId = Annotated[str, StringConstraints(pattern=r"^grant_[0-9a-f]{20}$")]


class GrantQuery(RequestModel):
    """Which grants: of a kind, of a key or a tenant, and from which one on."""

    kind: GrantKind | None = None
    subject: Slug | None = None
    after: GrantId | None = None
    limit: PageSize = 100


Asked = Annotated[Grant, body(Grant)]
Page = Annotated[GrantQuery, query(GrantQuery)]


def grant_routes(desk: Desk) -> APIRouter:
    """Make, list and delete grants."""
    api = APIRouter(prefix="/grants", dependencies=[Depends(desk.admin)])

    @api.post("", status_code=201, response_model=GrantCard, responses=errors(409, 422), openapi_extra=body_of(Grant))
    def create(asked: Asked, actor: Actor = Depends(desk.admin)) -> GrantCard:
        now = desk.clock()
        with desk.database.write() as session:
            made = grants.create(session, asked, now)
            audit.record(session, actor, "grants.create", made.id, asked.model_dump(), now)
        return made

    @api.get("", response_model=GrantList, responses=errors(404))
    def listed(asked: Page) -> GrantList:
        with desk.database.read() as session:
            found = grants.page(
                session, kind=asked.kind, subject=asked.subject, after=asked.after, limit=asked.limit + 1
            )
        data, has_more = split(found, asked.limit)
        return GrantList(data=data, has_more=has_more)

    @api.delete("/{grant_id}", response_model=GrantCard, responses=errors(404))
    def delete(grant_id: GrantId, actor: Actor = Depends(desk.admin)) -> GrantCard:
        with desk.database.write() as session:
            gone = grants.delete(session, grant_id)
            audit.record(session, actor, "grants.delete", gone.id, gone.grant.model_dump(), desk.clock())
        return gone

    return api
