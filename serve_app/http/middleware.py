"""What surrounds every request. Plain ASGI: a layer costs microseconds."""

from __future__ import annotations

import uuid

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autoglm.errors import APIStatusError
from deployments.access import Authenticator, Principal
from serve_app.http.address import client_address
from serve_app.http.errors import error_response
from serve_app.http.header import header_of

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
        given = header_of(scope, b"x-request-id")
        request_id = given or uuid.uuid4().hex
        # A dict of its own: the server's state, where it has one, is shared by all requests of a connection.
        scope["state"] = {**scope.get("state", {}), "request_id": request_id}

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        await self._app(scope, receive, send if given else send_with_id)


class Authentication:
    """Finds out who calls and from where, everywhere but on the health paths, and notes both; refuses who is nobody."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator, *, proxies: int) -> None:
        self._app = app
        self._authenticator = authenticator
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            address = client_address(scope, self._proxies)
            try:
                principal = await authenticated(scope, self._authenticator, address)
            except APIStatusError as error:
                response = error_response(error, scope["state"]["request_id"])
                if error.status == 401:
                    response.headers["www-authenticate"] = self._authenticator.challenges
                await response(scope, receive, send)
                return
            scope["state"] |= {"principal": principal, "address": address}
        await self._app(scope, receive, send)


async def authenticated(scope: Scope, authenticator: Authenticator, address: str) -> Principal:
    """Who makes the request; raises as `Authenticator.authenticate` does."""
    return await authenticator.authenticate(header_of(scope, b"authorization"), address)  # a list is no credential
