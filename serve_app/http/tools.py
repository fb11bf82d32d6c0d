"""`/v1/tools`: the tools that the caller may use, and a call of one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from fastapi import APIRouter, Request
from fastapi.responses import Response

from autoglm.contract.tool import ToolCallRequest, ToolCard, ToolList, ToolName, ToolResult
from deployments.access import Principal
from serve_app.http.admission import TOOL_CALL, Admission, caller_of
from serve_app.http.body import parse_body
from serve_app.http.call import TIMEOUT, timeout_of
from serve_app.http.header import header_of
from serve_app.http.idempotency import SentOnce, own_key
from serve_app.http.schema import body_of, errors
from serve_app.http.wire import wire

ADMITTED = errors(400, 401, 403, 429, 503)


class Tools(Protocol):
    """The tools of this cluster, as each caller may use them."""

    def visible(self, caller: Principal) -> Sequence[ToolCard]:
        """What the caller may use now, by name."""
        ...

    async def call(self, caller: Principal, name: str, arguments: dict[str, Any], *, key: str, timeout_s: float) -> Any:
        """The tool's result, a JSON value. A call of the same `key` takes effect once.

        Raises:
            NotFoundError: there is no such tool.
            PermissionDeniedError: the scope or a grant is missing, or a person must approve the call.
            APIStatusError: the tool's own.
        """
        ...


def build_tools(tools: Tools, admission: Admission, max_body_bytes: int, longest_s: Callable[[], float]) -> APIRouter:
    """The paths; a call may last `longest_s`."""
    api = APIRouter(prefix="/v1/tools", responses=ADMITTED)

    @api.get("", response_model=ToolList)
    async def listed(request: Request) -> ToolList:
        return ToolList(data=tuple(tools.visible(caller_of(request))))

    @api.post(
        "/{name}",
        response_model=ToolResult,
        responses=errors(404, 422, 502, 504),
        openapi_extra=body_of(ToolCallRequest),
    )
    async def call(request: Request, name: ToolName, key: SentOnce = None) -> Response:
        caller = caller_of(request)
        asked = await parse_body(request, ToolCallRequest, max_body_bytes)
        timeout_s = timeout_of(header_of(request.scope, TIMEOUT.encode()), longest_s())
        with await admission.admit_request(caller, TOOL_CALL) as visit:
            begun = time.monotonic()
            result = await tools.call(caller, name, asked.arguments, key=own_key(caller, key), timeout_s=timeout_s)
            told = ToolResult(tool=name, result=result, seconds=time.monotonic() - begun)
            return Response(wire(told), headers=visit.headers, media_type="application/json")

    return api
