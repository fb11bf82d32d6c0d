"""The client's address, behind proxies that append to `X-Forwarded-For`."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import Scope


def client_address(scope: Scope, proxies: int) -> str:
    """The address that the outermost of our own `proxies` saw; what lies before it is the client's word and not used.

    Each proxy appends the address of whoever called it; the last one's own is the connection's.
    """
    peer = scope["client"][0] if scope.get("client") else ""
    forwarded = ",".join(Headers(scope=scope).getlist("x-forwarded-for"))
    seen = [part.strip() for part in forwarded.split(",") if part.strip()]
    return ([*seen, peer][-(proxies + 1) :] or [peer])[0]
