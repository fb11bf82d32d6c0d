"""`/admin/v1/keys`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import StringConstraints

from autoglm.contract.base import RequestModel
from autoglm.contract.field import Slug
from autoglm.contract.key import KeyCard, KeyCreated, KeyList, KeyRequest
from cluster.control import audit, keys
from cluster.control.audit import Actor
from cluster.control.routes.admission import Desk, body, split
from cluster.control.tables import Key
from serve_app.http.query import PageSize, query
from serve_app.http.schema import body_of, errors

KeyId = Annotated[str, StringConstraints(pattern=r"^key_[0-9a-f]{20}$")]


class KeyQuery(RequestModel):
    """Which keys: a tenant's, and from which one on."""

    tenant: Slug | None = None
    after: KeyId | None = None
    limit: PageSize = 100


Asked = Annotated[KeyRequest, body(KeyRequest)]
Page = Annotated[KeyQuery, query(KeyQuery)]


def key_routes(desk: Desk) -> APIRouter:
    """Make, list and revoke keys."""
    api = APIRouter(prefix="/keys", dependencies=[Depends(desk.admin)])

    @api.post("", status_code=201, response_model=KeyCreated, responses=errors(422), openapi_extra=body_of(KeyRequest))
    def create(response: Response, asked: Asked, actor: Actor = Depends(desk.admin)) -> KeyCreated:
        now = desk.clock()
        with desk.database.write() as session:
            key, secret = keys.create(session, asked, now)
            audit.record(session, actor, "keys.create", key.id, asked.model_dump(mode="json"), now)
        response.headers["cache-control"] = "no-store"
        return KeyCreated(**dict(card(key)), secret=secret)

    @api.get("", response_model=KeyList, responses=errors(404))
    def listed(asked: Page) -> KeyList:
        with desk.database.read() as session:
            found = keys.page(session, tenant=asked.tenant, after=asked.after, limit=asked.limit + 1)
            data, has_more = split([card(key) for key in found], asked.limit)
        return KeyList(data=data, has_more=has_more)

    @api.delete("/{key_id}", response_model=KeyCard, responses=errors(404))
    def revoke(key_id: KeyId, actor: Actor = Depends(desk.admin)) -> KeyCard:
        now = desk.clock()
        with desk.database.write() as session:
            key = keys.revoke(session, key_id, now)
            audit.record(session, actor, "keys.revoke", key.id, {"name": key.name, "tenant": key.tenant}, now)
            return card(key)

    return api


def card(key: Key) -> KeyCard:
    """A key as it is listed."""
    return KeyCard.model_validate(
        {
            "id": key.id,
            "prefix": key.prefix,
            "name": key.name,
            "tenant": key.tenant,
            "scopes": key.scopes,
            "models": key.models,
            "created": key.created,
            "expires": key.expires,
            "revoked": key.revoked,
        }
    )
