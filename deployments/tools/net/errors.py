"""What the guard says no to; to httpx these are failures of the transport."""

from __future__ import annotations

import httpx2


class RefusedError(httpx2.TransportError):
    """A request, or the address behind its host, that nothing declares; nothing was sent."""


class ResponseRefusedError(httpx2.TransportError, httpx2.StreamError):
    """A response that is larger than declared, or compressed, which would hide how large it is.

    It is met while the body is read, and is a fault of that stream alone: so a client of many requests, as MCP's is,
    fails the one that was answered with it.
    """
