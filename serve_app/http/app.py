"""The ASGI application of one router replica."""

from __future__ import annotations

from starlette.types import ASGIApp

from autoglm import __version__
from deployments.access import Authenticator
from deployments.router import Router
from serve_app.http.admission import Admission
from serve_app.http.direct import Direct
from serve_app.http.errors import ERROR_HANDLERS
from serve_app.http.middleware import Authentication, RequestId
from serve_app.http.routes import build_routes
from serve_app.http.schema import DescribedAPI

MAX_BODY_BYTES = 8 * 1024 * 1024


def build_http(
    router: Router,
    authenticator: Authenticator,
    admission: Admission,
    *,
    max_body_bytes: int = MAX_BODY_BYTES,
    proxies: int = 0,
) -> ASGIApp:
    """Routes inside, then who may call them, then the request's id around everything, refusals included.

    `proxies` of our own stand in front, each of which appends its caller to `X-Forwarded-For`.
    """
    app = DescribedAPI(
        title="Open-AutoGLM",
        version=__version__,
        docs_url=None,  # the page loads scripts from elsewhere; the schema itself is at /openapi.json
        redoc_url=None,
        exception_handlers=ERROR_HANDLERS,
        redirect_slashes=False,
    )
    app.include_router(build_routes(router, admission, max_body_bytes))
    return RequestId(Authentication(Direct(app), authenticator, proxies=proxies))
