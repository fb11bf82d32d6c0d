"""`/mcp`: streamable HTTP (Model Context Protocol, 2025-03-26 and later), with no session, so that any replica answers.

It stands behind the same authentication as every other path, and a caller is listed what it may use. What a browser
could be talked into is kept out by that: it has no credential to add by itself. Where the cluster is on the loopback
alone, `Host` and `Origin` must name the loopback too, against DNS rebinding; elsewhere any host is answered, since a
proxy in front may bear any name.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from autoglm import __version__
from autoglm.contract.tool import IdempotencyKey
from autoglm.errors import APIStatusError, BadRequestError, InternalServerError, NotFoundError
from serve_app.http.errors import error_response, request_id_of
from serve_app.mcp.answer import refused
from serve_app.mcp.offer import offers
from serve_app.mcp.surface import SurfaceOf

PATH = "/mcp"
MAX_BODY_BYTES = 8 * 1024 * 1024  # as the other paths take by default
MAX_LISTENERS = 256  # callers that one replica tells of changes
PAGE = 200  # tools of one answer of a listing
KEY = "open-autoglm/idempotency-key"  # in a request's `_meta`, where the specification puts what it does not define

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

logger = logging.getLogger("ray.serve")
KEYS: TypeAdapter[str] = TypeAdapter(IdempotencyKey)

Context = ServerRequestContext[Any, Request]


class McpEndpoint:
    """An ASGI application for one path; `running` is its life, to be entered before the first request.

    With `loopback_only` requests for other hosts than the loopback are refused.
    """

    def __init__(
        self, surface_of: SurfaceOf, *, loopback_only: bool = False, max_body_bytes: int = MAX_BODY_BYTES
    ) -> None:
        self._surface_of = surface_of
        self._changes = InMemorySubscriptionBus()
        self._server: Server[Any] = Server(
            "open-autoglm",
            version=__version__,
            on_list_tools=self._list,
            on_call_tool=self._call,
            on_subscriptions_listen=ListenHandler(self._changes, max_subscriptions=MAX_LISTENERS),
        )
        self._manager = StreamableHTTPSessionManager(
            self._server,
            stateless=True,
            security_settings=hosts(loopback_only=loopback_only),
            max_request_body_size=max_body_bytes,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """From before the first request to after the last; requests under way are cancelled at the end."""
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method != "POST":  # the protocol's other methods belong to sessions
            error = BadRequestError(f"method: {request.method} is not served at {PATH}; MCP clients send POST")
            response = error_response(error, request_id_of(request), status=405)
            response.headers["allow"] = "POST"
            await response(scope, receive, send)
            return
        await self._manager.handle_request(scope, receive, send)

    async def tools_changed(self) -> None:
        """Tell those who listen at this replica that what they are offered may be another now."""
        await self._changes.publish(ToolsListChanged())

    async def _list(self, context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        found = [offer.tool for offer in offers(self._surface_of(asked_by(context))).values()]
        first = place(params.cursor if params else None)
        following = str(first + PAGE) if first + PAGE < len(found) else None
        return ListToolsResult(tools=found[first : first + PAGE], next_cursor=following)

    async def _call(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        try:
            return await self._answer(context, params)
        except APIStatusError as error:
            return refused(error)
        except Exception:  # told without details, as on every other path
            logger.exception("the MCP call of %s failed", params.name[:128])
            return refused(InternalServerError("an internal error; the server's log has it"))

    async def _answer(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        found = offers(self._surface_of(asked_by(context)))
        if params.name not in found:
            raise NotFoundError(f"name: got {params.name[:128]!r}, which is no tool of yours; tools/list has them")
        return await found[params.name].do(params.arguments or {}, key_of(context))


def hosts(*, loopback_only: bool) -> TransportSecuritySettings:
    """The names that requests may be for and come from."""
    names = [form for name in LOOPBACK for form in (name, f"{name}:*")]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=loopback_only,
        allowed_hosts=names,
        allowed_origins=[f"{scheme}://{name}" for scheme in ("http", "https") for name in names],
    )


def asked_by(context: Context) -> Request:
    """The HTTP request that a message came in.

    Raises:
        MCPError: it came in none, so that nobody knows whose it is.
    """
    if context.request is None:
        raise MCPError(INVALID_PARAMS, "this server is reached by HTTP alone")
    return context.request


def place(cursor: str | None) -> int:
    """Where a page begins.

    Raises:
        MCPError: the cursor is none that this server gave.
    """
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise MCPError(INVALID_PARAMS, "cursor: not one that a listing gave")
    return int(cursor)


def key_of(context: Context) -> str | None:
    """The caller's idempotency key.

    Raises:
        BadRequestError: it is of another form.
    """
    key = (context.meta or {}).get(KEY)
    if key is None:
        return None
    try:
        return KEYS.validate_python(key)
    except ValidationError as error:
        raise BadRequestError(f"_meta.{KEY}: {error.errors()[0]['msg']}", param=f"_meta.{KEY}") from None
