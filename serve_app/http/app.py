"""The ASGI application of one router replica."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fastapi.exceptions import RequestValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from autoglm import __version__
from deployments.access import Authenticator
from deployments.router import Router
from serve_app.http.admission import Admission
from serve_app.http.direct import Direct
from serve_app.http.errors import ERROR_HANDLERS
from serve_app.http.middleware import Authentication, RequestId
from serve_app.http.query import on_wrong_query
from serve_app.http.routes import build_routes
from serve_app.http.schema import DescribedAPI
from serve_app.http.tasks import Runs, build_tasks
from serve_app.http.tools import Tools, build_tools

MAX_BODY_BYTES = 8 * 1024 * 1024
NOTHING: Mapping[str, ASGIApp] = MappingProxyType({})


def build_http(
    router: Router,
    authenticator: Authenticator,
    admission: Admission,
    *,
    max_body_bytes: int = MAX_BODY_BYTES,
    proxies: int = 0,
    runs: Runs | None = None,
    tools: Tools | None = None,
    mounted: Mapping[str, ASGIApp] = NOTHING,
) -> ASGIApp:
    """Routes inside, then who may call them, then the request's id around everything, refusals included.

    `proxies` of our own stand in front, each of which appends its caller to `X-Forwarded-For`. Without `runs`
    and `tools` their paths are not served. `mounted` are applications of their own, each at one path.
    """
    app = DescribedAPI(
        title="Open-AutoGLM",
        version=__version__,
        docs_url=None,  # the page loads scripts from elsewhere; the schema itself is at /openapi.json
        redoc_url=None,
        exception_handlers=ERROR_HANDLERS | {RequestValidationError: on_wrong_query},
        redirect_slashes=False,
    )
    app.include_router(build_routes(router, admission, max_body_bytes))
    if runs is not None:
        app.include_router(build_tasks(runs, admission, max_body_bytes, lambda: router.limits.request_timeout_s))
    if tools is not None:
        app.include_router(build_tools(tools, admission, max_body_bytes, lambda: router.limits.request_timeout_s))
    return RequestId(Authentication(by_path(mounted, Direct(app)), authenticator, proxies=proxies))


def by_path(mounted: Mapping[str, ASGIApp], app: ASGIApp) -> ASGIApp:
    """The application with others at single paths."""

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        found = mounted.get(scope["path"], app) if scope["type"] == "http" else app
        await found(scope, receive, send)

    return routed if mounted else app
