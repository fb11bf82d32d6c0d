"""The client's address, behind proxies that append to `X-Forwarded-For`."""

from __future__ import annotations

from starlette.types import Scope

from serve_app.http.header import header_of


def client_address(scope: Scope, proxies: int) -> str:
    """The address that the outermost of our own `proxies` saw; what lies before it is the client's word and not used.

    Each proxy appends the address of whoever called it; the last one's own is the connection's.
    """
    peer = scope["client"][0] if scope.get("client") else ""
    seen = [part.strip() for part in header_of(scope, b"x-forwarded-for").split(",") if part.strip()]
    return ([*seen, peer][-(proxies + 1) :] or [peer])[0]
