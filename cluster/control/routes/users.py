"""`/admin/v1/users`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from autoglm.contract.base import RequestModel
from autoglm.contract.field import Slug
from autoglm.contract.user import UserCard, UserList, UserRequest
from cluster.control import audit, basic
from cluster.control.audit import Actor
from cluster.control.routes.admission import Desk, body, split
from cluster.control.tables import User
from deployments.access.password import hash_password
from serve_app.http.query import PageSize, query
from serve_app.http.schema import body_of, errors


class UserQuery(RequestModel):
    """From which user on."""

    after: Slug | None = None
    limit: PageSize = 100


Asked = Annotated[UserRequest, body(UserRequest, hidden="password")]
Page = Annotated[UserQuery, query(UserQuery)]


def user_routes(desk: Desk) -> APIRouter:
    """Make, list and delete users."""
    api = APIRouter(prefix="/users", dependencies=[Depends(desk.admin)])

    @api.post("", status_code=201, response_model=UserCard, responses=errors(409), openapi_extra=body_of(UserRequest))
    def create(asked: Asked, actor: Actor = Depends(desk.admin)) -> UserCard:
        now, password_hash = desk.clock(), hash_password(asked.password)
        detail = asked.model_dump(mode="json", exclude={"password"})
        with desk.database.write() as session:
            user = basic.create(session, asked, password_hash, now)
            audit.record(session, actor, "users.create", user.name, detail, now)
        return card(user)

    @api.get("", response_model=UserList)
    def listed(asked: Page) -> UserList:
        with desk.database.read() as session:
            found = basic.page(session, after=asked.after, limit=asked.limit + 1)
            data, has_more = split([card(user) for user in found], asked.limit)
        return UserList(data=data, has_more=has_more)

    @api.delete("/{name}", response_model=UserCard, responses=errors(404))
    def delete(name: Slug, actor: Actor = Depends(desk.admin)) -> UserCard:
        with desk.database.write() as session:
            user = basic.delete(session, name)
            audit.record(session, actor, "users.delete", user.name, {"tenant": user.tenant}, desk.clock())
            return card(user)

    return api


def card(user: User) -> UserCard:
    """A user as listed."""
    return UserCard.model_validate(
        {
            "name": user.name,
            "tenant": user.tenant,
            "scopes": user.scopes,
            "models": user.models,
            "created": user.created,
        }
    )
