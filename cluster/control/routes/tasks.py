"""`/admin/v1/tasks`: fitted tasks become versions on the running cluster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import contextmanager_in_threadpool, run_in_threadpool
from pydantic import StringConstraints

from autoglm.contract.base import RequestModel
from autoglm.contract.field import NAME, VERSION, TaskName, VersionName
from autoglm.contract.registration import MAX_ARCHIVE_BYTES, RegistrationCard, RegistrationList
from autoglm.errors import ConflictError, UnavailableError
from cluster.control import audit, registrations, task_archive
from cluster.control.applications import REGISTERED, State, States
from cluster.control.audit import Actor
from cluster.control.routes.admission import Desk, split
from cluster.control.routes.upload import receive
from cluster.control.store import Store
from cluster.control.tables import Registration
from cluster.control.verification import verified
from serve_app.app import app_name
from serve_app.http.query import PageSize, query
from serve_app.http.schema import errors

ZIP = "application/zip"
ARCHIVE_NAME = "archive.zip"
MAX_UPLOADS = 2  # at once, each up to MAX_ARCHIVE_BYTES on disk, twice while it is unpacked
RETRY_S = 5.0

REFUSED = errors(409, 413, 415, 422)
ARCHIVE = {"requestBody": {"required": True, "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}}}
Place = Annotated[str, StringConstraints(pattern=f"{NAME.removesuffix('$')}/{VERSION.removeprefix('^')}")]


class TaskQuery(RequestModel):
    """Which versions: of one name, and from which one on (`NAME/VERSION`)."""

    name: TaskName | None = None
    after: Place | None = None
    limit: PageSize = 100


Page = Annotated[TaskQuery, query(TaskQuery)]


def task_routes(desk: Desk, store: Store, states: States) -> APIRouter:
    """Register, list, show and remove versions of fitted tasks."""
    api = APIRouter(prefix="/tasks", dependencies=[Depends(desk.admin)])
    registry = Registry(desk, store, states)
    uploads = asyncio.Semaphore(MAX_UPLOADS)

    @api.put(
        "/{name}/versions/{version}",
        status_code=202,
        response_model=RegistrationCard,
        responses=REFUSED | {200: {"model": RegistrationCard, "description": "The same content is registered already"}},
        openapi_extra=ARCHIVE,
    )
    async def register(
        request: Request,
        response: Response,
        name: TaskName,
        version: VersionName,
        actor: Actor = Depends(desk.admin),
    ) -> RegistrationCard:
        async with admitted(uploads), contextmanager_in_threadpool(store.aside()) as aside:
            await receive(request, aside / ARCHIVE_NAME, media_type=ZIP, max_bytes=MAX_ARCHIVE_BYTES)
            card, is_new = await run_in_threadpool(registry.put, name, version, aside, actor)
        response.status_code = 202 if is_new else 200
        return card

    @api.get("", response_model=RegistrationList)
    def listed(asked: Page) -> RegistrationList:
        return registry.page(asked)

    @api.get("/{name}/versions/{version}", response_model=RegistrationCard, responses=errors(404))
    def shown(name: TaskName, version: VersionName) -> RegistrationCard:
        return registry.card(name, version)

    @api.delete("/{name}/versions/{version}", response_model=RegistrationCard, responses=errors(404))
    def delete(name: TaskName, version: VersionName, actor: Actor = Depends(desk.admin)) -> RegistrationCard:
        return registry.delete(name, version, actor)

    return api


class Registry:
    """Rows, files and the applications' states, brought together. Its methods block."""

    def __init__(self, desk: Desk, store: Store, states: States) -> None:
        self._desk = desk
        self._store = store
        self._states = states

    def put(self, name: str, version: str, aside: Path, actor: Actor) -> tuple[RegistrationCard, bool]:
        """Register the archive in the folder `aside`: the card, and whether it is new.

        The files are in place before the row is, so that a kill leaves no row without them.
        """
        folder = aside / "task"
        folder.mkdir()
        task_archive.unpack(aside / ARCHIVE_NAME, folder)
        content, state, now = verified(folder), self._state(name, version), self._desk.clock()
        with self._store.changes(), self._desk.database.write() as session:
            row, is_new = registrations.put(session, name, version, content, now)
            if is_new:
                check_free(name, version, state)
                detail = {"task": content.declaration.task, "model": model_of(row), "sha256": content.sha256}
                audit.record(session, actor, "tasks.register", f"{name}/{version}", detail, now)
            if is_new or not self._store.folder(name, version).exists():
                self._store.place(folder, name, version)
        return card(row, state), is_new

    def page(self, asked: TaskQuery) -> RegistrationList:
        """A page of cards."""
        after = None if asked.after is None else (asked.after.partition("/")[0], asked.after.partition("/")[2])
        with self._desk.database.read() as session:
            rows = registrations.page(session, name=asked.name, after=after, limit=asked.limit + 1)
        found, has_more = split(rows, asked.limit)
        states = self._states() if found else {}
        cards = tuple(card(row, states.get(app_name(row.name, row.version), REGISTERED)) for row in found)
        return RegistrationList(data=cards, has_more=has_more)

    def card(self, name: str, version: str) -> RegistrationCard:
        """One card; raises NotFoundError."""
        with self._desk.database.read() as session:
            row = registrations.find(session, name, version)
        return card(row, self._state(name, version))

    def delete(self, name: str, version: str, actor: Actor) -> RegistrationCard:
        """Take out the row, then the files; raises NotFoundError."""
        state = self._state(name, version)
        with self._store.changes():
            with self._desk.database.write() as session:
                row = registrations.delete(session, name, version)
                detail = {"sha256": registrations.sha256(row)}
                audit.record(session, actor, "tasks.delete", f"{name}/{version}", detail, self._desk.clock())
            self._store.remove(name, version)
        return card(row, state)

    def _state(self, name: str, version: str) -> State:
        return self._states().get(app_name(name, version), REGISTERED)


@asynccontextmanager
async def admitted(uploads: asyncio.Semaphore) -> AsyncIterator[None]:
    """One of the few uploads at a time; raises UnavailableError where all are taken."""
    if uploads.locked():
        raise UnavailableError(f"{MAX_UPLOADS} uploads are under way, the most at once", retry_after=RETRY_S)
    async with uploads:
        yield


def check_free(name: str, version: str, state: State) -> None:
    """Raises ConflictError where the cluster's file has declared the version, or one that was deleted still runs."""
    if state.status != REGISTERED.status:
        raise ConflictError(
            f"version: {name} {version} is served already, by the cluster's file or until it is removed; "
            "take another version",
            param="version",
        )


def card(row: Registration, state: State) -> RegistrationCard:
    """A version as it is told."""
    return RegistrationCard.model_validate(
        {
            "name": row.name,
            "version": row.version,
            "task": row.declaration["task"],
            "model": model_of(row),
            "sha256": registrations.sha256(row),
            "created": row.created,
            "status": state.status,
            "message": state.message,
            "labels": row.declaration.get("labels"),
        }
    )


def model_of(row: Registration) -> str:
    """The declared model; a table's head has none below it, and is called by its task."""
    return str(row.declaration.get("model") or row.declaration["task"])
