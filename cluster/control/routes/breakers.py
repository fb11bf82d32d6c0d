"""`/admin/v1/breakers`: what the routers' circuit breakers are at, and which are held by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Depends

from autoglm import suggestion
from autoglm.contract.breaker import BreakerCard, BreakerHold, BreakerList, BreakerRequest
from autoglm.contract.field import TaskName, VersionName
from autoglm.errors import NotFoundError
from cluster.control import audit, holds
from cluster.control.audit import Actor
from cluster.control.routers import Sight
from cluster.control.routes.admission import Desk, body
from serve_app.http.schema import body_of, errors

Asked = Annotated[BreakerRequest, body(BreakerRequest)]


def breaker_routes(desk: Desk, sight: Sight) -> APIRouter:
    """List the breakers, and hold one."""
    api = APIRouter(prefix="/breakers", dependencies=[Depends(desk.admin)])

    @api.get("", response_model=BreakerList)
    def listed() -> BreakerList:
        seen = sight()
        with desk.database.read() as session:
            held = holds.all(session)
        return BreakerList(data=seen.cards, held=held, replicas=seen.replicas, answered=seen.answered)

    @api.put(
        "/{name}/{version}",
        response_model=BreakerHold,
        responses=errors(404),
        openapi_extra=body_of(BreakerRequest),
    )
    def put(name: TaskName, version: VersionName, asked: Asked, actor: Actor = Depends(desk.admin)) -> BreakerHold:
        with desk.database.read() as session:
            is_held = holds.is_held(session, name, version)
        if not is_held:  # what is held can be let go also when it is gone, or no router answers
            check_known(name, version, sight().cards)
        with desk.database.write() as session:
            hold = holds.put(session, name, version, asked.state)
            audit.record(session, actor, "breakers.put", f"{name}/{version}", asked.model_dump(), desk.clock())
        return hold

    return api


def check_known(name: str, version: str, cards: Iterable[BreakerCard]) -> None:
    """Raises NotFoundError, with the nearest that is declared, where no router has a breaker of this version."""
    known = {(card.name, card.version) for card in cards}
    versions = {version for model, version in known if model == name}
    if not versions:
        nearest = suggestion.nearest(name, {model for model, _ in known})
        raise NotFoundError(f"name: {name!r} is not declared; {nearest}", param="name")
    if version not in versions:
        nearest = suggestion.nearest(version, versions)
        raise NotFoundError(f"version: {name!r} has no {version!r}; {nearest}", param="version")
