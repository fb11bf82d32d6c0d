"""The ASGI application of one router replica."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import ASGIApp

from autoglm import __version__
from deployments.router import Router
from serve_app.http.errors import ERROR_HANDLERS
from serve_app.http.middleware import Authentication, RequestId
from serve_app.http.routes import build_routes

MAX_BODY_BYTES = 8 * 1024 * 1024


def build_http(router: Router, *, key: str, max_body_bytes: int = MAX_BODY_BYTES) -> ASGIApp:
    """Routes inside, then who may call them, then the request's id around everything, refusals included."""
    app = FastAPI(
        title="Open-AutoGLM",
        version=__version__,
        docs_url=None,  # the page loads scripts from elsewhere; the schema itself is at /openapi.json
        redoc_url=None,
        exception_handlers=ERROR_HANDLERS,
        redirect_slashes=False,
    )
    app.include_router(build_routes(router, max_body_bytes))
    return RequestId(Authentication(app, key=key))
