"""`/admin/v1/users`: who may log in by HTTP Basic."""

from __future__ import annotations

from pydantic import Field

from autoglm.contract.base import RequestModel, ResponseModel
from autoglm.contract.field import ModelName, Moment, Slug
from autoglm.contract.scope import Scope

MIN_PASSWORD, MAX_PASSWORD = 12, 256  # characters


class UserRequest(RequestModel):
    """A user to be made; the password is kept as an argon2 hash."""

    name: Slug
    password: str = Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD, repr=False)
    tenant: Slug = "default"
    scopes: tuple[Scope, ...] = Field(min_length=1, max_length=100)
    models: tuple[ModelName, ...] | None = Field(default=None, max_length=100)


class UserCard(ResponseModel):
    """A user as listed."""

    name: str
    tenant: str
    scopes: tuple[Scope, ...]
    models: tuple[str, ...] | None = None
    created: Moment


class UserList(ResponseModel):
    """Users by name; `has_more` says that there are others after the last."""

    data: tuple[UserCard, ...]
    has_more: bool = False
