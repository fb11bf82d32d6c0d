"""`/v1/tasks`: an instruction becomes work done, while its caller listens or in the background."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated, Protocol

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from autoglm.contract.base import RequestModel
from autoglm.contract.scope import APPROVE, TASKS
from autoglm.contract.task_run import ENDED, ApprovalRequest, RunEvent, RunId, TaskRequest, TaskRun, TaskRunList
from autoglm.errors import UpstreamError
from deployments.access import Principal
from serve_app.http.admission import RUN, Admission, Visit, caller_of
from serve_app.http.body import parse_body
from serve_app.http.call import TIMEOUT, timeout_of
from serve_app.http.errors import request_id_of
from serve_app.http.generation import EventStream
from serve_app.http.header import header_of
from serve_app.http.idempotency import SentOnce
from serve_app.http.query import PageSize, query
from serve_app.http.run_events import RUN_EVENT, chained, sent
from serve_app.http.schema import EVENTS, Responses, body_of, errors, streamed
from serve_app.http.wire import wire

ADMITTED = errors(400, 401, 403, 429, 503)
CREATED: Responses = {202: {"model": TaskRun, "description": "It runs in the background, or waits for an approval"}}
STREAMED: Responses = {200: {"content": {EVENTS: {"itemSchema": RUN_EVENT}}}}


class Runs(Protocol):
    """The runs of this cluster. A run of another tenant is none: each method raises NotFoundError for it."""

    def run(self, request: TaskRequest, caller: Principal) -> AsyncGenerator[RunEvent]:
        """Plan and run; closing the iterator cancels the run.

        The last event bears the run, as it ended or as it waits. What is refused before anything runs is raised.
        """
        ...

    async def start(self, request: TaskRequest, caller: Principal, key: str | None) -> TaskRun:
        """Begin one in the background; sent again with the same `key` it is the same.

        Raises ConflictError where the caller has sent another request with the key.
        """
        ...

    async def get(self, run: str, tenant: str) -> TaskRun:
        """A run as it is now."""
        ...

    async def page(self, tenant: str, *, after: str | None, limit: int) -> TaskRunList:
        """A tenant's runs, the newest first."""
        ...

    def follow(self, run: str, tenant: str, after: int) -> AsyncGenerator[RunEvent]:
        """The events after the one of that number, until the run has ended; the last one bears the run."""
        ...

    async def cancel(self, run: str, tenant: str) -> TaskRun:
        """End it, its running steps too. Raises ConflictError where it has ended."""
        ...

    async def decide(self, run: str, caller: Principal, decision: ApprovalRequest) -> TaskRun:
        """Approve or refuse what it waits for. Raises ConflictError where it does not wait for that."""
        ...


class RunQuery(RequestModel):
    """Runs older than the one of this id; the newest without it."""

    after: RunId | None = None
    limit: PageSize = 100


Page = Annotated[RunQuery, query(RunQuery)]
LastSeen = Annotated[int, Field(ge=0, le=2**53), Header(alias="Last-Event-ID")]


def build_tasks(runs: Runs, admission: Admission, max_body_bytes: int, longest_s: Callable[[], float]) -> APIRouter:
    """The paths; a run that somebody waits for may last `longest_s`."""
    api = APIRouter(prefix="/v1/tasks", responses=ADMITTED)

    @api.post(
        "",
        response_model=TaskRun,
        responses=errors(404, 409, 422, 502, 504) | streamed(RUN_EVENT) | CREATED,
        openapi_extra=body_of(TaskRequest),
    )
    async def create(request: Request, key: SentOnce = None) -> Response:
        caller = caller_of(request, TASKS)
        asked = await parse_body(request, TaskRequest, max_body_bytes)
        visit = await admission.admit_request(caller, RUN)
        if asked.background:
            with visit:
                return accepted(await runs.start(asked, caller, key), visit)
        asked = with_deadline(asked, timeout_of(header_of(request.scope, TIMEOUT.encode()), longest_s()))
        if not asked.stream:
            with visit:
                return answered(await last_of(runs.run(asked, caller)), visit)
        try:
            events = await begun(runs, asked, caller)
        except BaseException:
            visit.close()
            raise
        return EventStream(sent(events, request_id_of(request)), visit, visit.headers)

    @api.get("", response_model=TaskRunList, responses=errors(404))
    async def listed(request: Request, asked: Page) -> Response:
        return told(await runs.page(caller_of(request, TASKS).tenant, after=asked.after, limit=asked.limit))

    @api.get("/{run_id}", response_model=TaskRun, responses=errors(404))
    async def shown(request: Request, run_id: RunId) -> Response:
        return told(await runs.get(run_id, caller_of(request, TASKS).tenant))

    @api.get(
        "/{run_id}/events", response_class=StreamingResponse, response_model=None, responses=errors(404) | STREAMED
    )
    async def followed(request: Request, run_id: RunId, last_seen: LastSeen = 0) -> Response:
        tenant = caller_of(request, TASKS).tenant
        await runs.get(run_id, tenant)
        events = sent(runs.follow(run_id, tenant, last_seen), request_id_of(request))
        return StreamingResponse(events, headers={"cache-control": "no-cache"}, media_type=EVENTS)

    @api.post("/{run_id}/cancel", response_model=TaskRun, responses=errors(404, 409))
    async def cancel(request: Request, run_id: RunId) -> Response:
        return told(await runs.cancel(run_id, caller_of(request, TASKS).tenant))

    @api.post(
        "/{run_id}/approve",
        response_model=TaskRun,
        responses=errors(404, 409),
        openapi_extra=body_of(ApprovalRequest),
    )
    async def approve(request: Request, run_id: RunId) -> Response:
        caller = caller_of(request, APPROVE)  # else whoever begins a run could wave its calls through
        return told(await runs.decide(run_id, caller, await parse_body(request, ApprovalRequest, max_body_bytes)))

    return api


def with_deadline(request: TaskRequest, seconds: float) -> TaskRequest:
    """The request with no more time than its caller's connection has."""
    return request.model_copy(update={"timeout_s": min(seconds, request.timeout_s or seconds)})


async def begun(runs: Runs, request: TaskRequest, caller: Principal) -> AsyncGenerator[RunEvent]:
    """The events of a run, the first of which is there: what is refused before it gets a status of its own."""
    events = followed_on(runs, runs.run(request, caller), caller.tenant)
    return chained(await anext(events), events)


async def followed_on(runs: Runs, events: AsyncGenerator[RunEvent], tenant: str) -> AsyncGenerator[RunEvent]:
    """The events of a run to its end, also where it waits for an approval first and others go on with it."""
    last: RunEvent | None = None
    async with aclosing(events):
        async for last in events:
            yield last
    if last is not None and last.run is not None and last.run.status not in ENDED:
        async with aclosing(runs.follow(last.run.id, tenant, last.seq)) as rest:
            async for event in rest:
                yield event


async def last_of(events: AsyncGenerator[RunEvent]) -> TaskRun:
    """The run as it ended, or as it waits."""
    run: TaskRun | None = None
    async with aclosing(events):
        async for event in events:
            run = event.run
    if run is None:
        raise UpstreamError("the planner ended the run's events without its end; send it again")
    return run


def answered(run: TaskRun, visit: Visit) -> Response:
    """A run that ended, however it did; or one that waits, to be asked for again."""
    return told(run, headers=visit.headers) if run.status in ENDED else accepted(run, visit)


def accepted(run: TaskRun, visit: Visit) -> Response:
    """A run that goes on without its caller."""
    return told(run, status=202, headers=visit.headers | {"location": f"/v1/tasks/{run.id}"})


def told(answer: TaskRun | TaskRunList, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A run, or several."""
    return Response(wire(answer), status, headers, "application/json")
