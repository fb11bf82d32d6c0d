"""What every path of the admin API has in common: who acts, and what was sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel

from autoglm.contract.scope import ADMIN
from autoglm.errors import BadRequestError
from cluster.control.audit import Actor
from cluster.control.database import Database
from deployments.access.principal import Principal
from deployments.clock import Clock
from serve_app.http.address import client_address
from serve_app.http.admission import check_scope
from serve_app.http.body import parse_body

Model = TypeVar("Model", bound=BaseModel)
Authenticate = Callable[[Request], Principal | Awaitable[Principal]]
Admin = Callable[..., Actor]

MAX_BODY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Desk:
    """What the paths work with: the database, the time, and the dependency that admits administrators."""

    database: Database
    clock: Clock
    admin: Admin


def admin_by(authenticate: Authenticate, proxies: int) -> Admin:
    """The dependency that lets administrators in, and no others; `proxies` of our own stand before them."""

    def admin(request: Request, caller: Principal = Depends(authenticate)) -> Actor:
        check_scope(caller, ADMIN)
        return Actor(str(caller), client_address(request.scope, proxies))

    return admin


def body(model: type[Model], *, hidden: str | None = None) -> Any:
    """The dependency that reads the request's JSON; an error does not repeat what the field `hidden` held."""

    async def read(request: Request) -> Model:
        try:
            return await parse_body(request, model, MAX_BODY_BYTES)
        except BadRequestError as error:
            if hidden is not None and error.param == hidden:
                raise BadRequestError(f"{hidden}: not of the documented form and length", param=hidden) from None
            raise

    return Depends(read)


def split(found: list[Any], limit: int) -> tuple[tuple[Any, ...], bool]:
    """A page of at most `limit` out of one item more, and whether that one was there."""
    return tuple(found[:limit]), len(found) > limit
