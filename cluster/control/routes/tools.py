"""`/admin/v1/tools`: entries of tools, loaded and removed while the cluster runs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import ConfigDict, RootModel, ValidationError

from autoglm.contract.base import RequestModel
from autoglm.contract.tool_registration import ToolRegistration, ToolRegistrationList
from autoglm.errors import UnprocessableEntityError
from cluster.control import audit, tools
from cluster.control.audit import Actor
from cluster.control.routes.admission import Desk, body, split
from cluster.control.tool_hosts import Hosts, with_states
from deployments.tools.config import EntryName, ToolEntry
from serve_app.http.body import wrong_field
from serve_app.http.query import PageSize, query
from serve_app.http.schema import body_of, errors


class ToolEntryBody(RootModel[dict[str, Any]]):
    """An entry as the cluster's file has it under `tools:`; its name is the path's."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [{"embedded": "calculate"}, {"python": "mytools:now", "timeout_s": 5, "needs_approval": True}]
        },
    )


class ToolQuery(RequestModel):
    """From which entry on."""

    after: EntryName | None = None
    limit: PageSize = 100


Asked = Annotated[ToolEntryBody, body(ToolEntryBody)]
Page = Annotated[ToolQuery, query(ToolQuery)]


def tool_routes(desk: Desk, hosts: Hosts) -> APIRouter:
    """Register, list and remove entries. Whoever may do it has the cluster run what an entry names."""
    api = APIRouter(prefix="/tools", dependencies=[Depends(desk.admin)])

    @api.put(
        "/{name}", response_model=ToolRegistration, responses=errors(409, 422), openapi_extra=body_of(ToolEntryBody)
    )
    def put(name: EntryName, asked: Asked, actor: Actor = Depends(desk.admin)) -> ToolRegistration:
        entry, now = validated(name, asked.root), desk.clock()
        with desk.database.write() as session:
            registration = tools.put(session, name, entry, now)
            audit.record(session, actor, "tools.put", name, entry, now)
        return registration

    @api.get("", response_model=ToolRegistrationList)
    def listed(asked: Page) -> ToolRegistrationList:
        with desk.database.read() as session:
            data, has_more = split(tools.page(session, after=asked.after, limit=asked.limit + 1), asked.limit)
        return ToolRegistrationList(data=with_states(data, hosts), has_more=has_more)

    @api.delete("/{name}", response_model=ToolRegistration, responses=errors(404))
    def delete(name: EntryName, actor: Actor = Depends(desk.admin)) -> ToolRegistration:
        with desk.database.write() as session:
            gone = tools.delete(session, name)
            audit.record(session, actor, "tools.delete", name, gone.entry, desk.clock())
        return gone

    return api


def validated(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """The entry as it is kept, without what is as by default.

    Raises:
        UnprocessableEntityError: it is no entry, or another's name is in it; `param` names the field.
    """
    if given.get("name", name) != name:
        raise UnprocessableEntityError(f"name: the path has {name!r}; leave it out of the entry", param="name")
    try:
        entry = ToolEntry.model_validate({**given, "name": name})
    except ValidationError as error:
        fault = wrong_field(error, ToolEntry)
        raise UnprocessableEntityError(fault.message, param=fault.param) from None
    return entry.model_dump(mode="json", exclude_defaults=True)
