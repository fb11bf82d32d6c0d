"""Names to addresses, as a seam: a test's own resolver answers what an attacker's would."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Protocol

from deployments.tools.net.address import Address


class Resolver(Protocol):
    """Asked once for each new connection."""

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        """The addresses of a host, in the order in which they are to be tried.

        Raises:
            OSError: it has none.
        """
        ...


class SystemResolver:
    """The machine's own: its hosts file, then DNS."""

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        """As `getaddrinfo` orders them (RFC 6724)."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))
