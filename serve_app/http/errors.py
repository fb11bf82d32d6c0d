"""Exception to response, in one place."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from autoglm.errors import APIStatusError, BadRequestError, InternalServerError, NotFoundError, error_class

logger = logging.getLogger("ray.serve")


def error_response(error: APIStatusError, request_id: str, *, status: int | None = None) -> Response:
    """The documented body, status and headers of an error."""
    error.request_id = request_id
    headers = {}
    if error.retry_after is not None:
        headers["retry-after"] = str(math.ceil(error.retry_after))
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"  # where no authenticator says more
    return Response(error.body().model_dump_json(), status or error.status, headers, "application/json")


def error_event(error: APIStatusError, request_id: str) -> bytes:
    """The event that ends a stream which broke after its first token; no `[DONE]` follows it."""
    error.request_id = request_id
    return b"data: " + error.body().model_dump_json().encode() + b"\n\n"


def request_id_of(request: Request) -> str:
    """The id that the middleware gave this request."""
    return str(request.scope["state"]["request_id"])


async def on_status_error(request: Request, error: Any) -> Response:
    """What the router or a replica raised on purpose (an APIStatusError)."""
    return error_response(error, request_id_of(request))


async def on_http_error(request: Request, error: Any) -> Response:
    """What the framework raises: no such path, or another method."""
    status, path = error.status_code, request.url.path
    if status == 404:
        fault: APIStatusError = NotFoundError(f"path: {path} does not exist; see /openapi.json")
    elif status == 405:
        fault = BadRequestError(f"method: {request.method} is not served at {path}")
    else:
        fault = error_class(status)(str(error.detail))
    response = error_response(fault, request_id_of(request), status=status)
    response.headers.update(error.headers or {})
    if status == 405:
        response.headers["allow"] = ", ".join(served_methods(request))
    return response


def served_methods(request: Request) -> list[str]:
    """The methods of all routes of this path; the framework's own 405 names those of the first one."""
    routes = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    return sorted({method for route in routes for method in route.methods})


async def on_fault(request: Request, error: Any) -> Response:
    """A fault of the server: logged whole, told without details."""
    request_id = request_id_of(request)
    logger.error("request %s failed", request_id, exc_info=error)
    return error_response(InternalServerError("an internal error; the server's log has it"), request_id)


Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]
ERROR_HANDLERS: dict[Any, Handler] = {
    APIStatusError: on_status_error,
    HTTPException: on_http_error,
    Exception: on_fault,
}
