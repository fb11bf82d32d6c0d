"""What surrounds every request. Plain ASGI: a layer costs microseconds."""

from __future__ import annotations

import hashlib
import hmac
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autoglm.errors import AuthenticationError
from serve_app.http.errors import error_response

OPEN_PATHS = frozenset({"/health", "/ready"})


class RequestId:
    """Notes the id that Serve gives each request (the caller's own where one was sent) and returns in its header.

    Where no Serve stands in front, an id is made here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id")
        request_id = given or uuid.uuid4().hex
        # A dict of its own: the server's state, where it has one, is shared by all requests of a connection.
        scope["state"] = {**scope.get("state", {}), "request_id": request_id}

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        await self._app(scope, receive, send if given else send_with_id)


class Authentication:
    """`Authorization: Bearer KEY` everywhere but on the health paths."""

    def __init__(self, app: ASGIApp, *, key: str) -> None:
        self._app = app
        self._digest = digest(key)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            try:
                self._authenticate(Headers(scope=scope).get("authorization", ""))
            except AuthenticationError as error:
                await error_response(error, scope["state"]["request_id"])(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _authenticate(self, header: str) -> None:
        scheme, _, key = header.partition(" ")
        if not header:
            raise AuthenticationError(
                "authorization: no key was sent; send 'Authorization: Bearer KEY', "
                "where KEY is in the file that `python -m serve_app up` names",
                param="authorization",
            )
        if scheme.lower() != "bearer":
            raise AuthenticationError(
                "authorization: this scheme is not known; send 'Bearer KEY'", param="authorization"
            )
        # Digests have one length, so the comparison tells nothing about the key, its length included.
        if not hmac.compare_digest(digest(key.strip()), self._digest):
            raise AuthenticationError("authorization: the key is not valid", param="authorization")


def digest(key: str) -> bytes:
    """SHA-256: enough for a key of 256 random bits, which no dictionary holds."""
    return hashlib.sha256(key.encode()).digest()
