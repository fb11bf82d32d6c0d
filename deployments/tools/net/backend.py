"""Connections to the very addresses that were checked.

A host is resolved here and nowhere else, and what is connected to is the answer that was looked at, not the name: a
second answer of the resolver (DNS rebinding) is never asked for. TLS is spoken above this, for the host's name.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection, Iterable, Sequence
from ipaddress import ip_address

import httpcore2

from deployments.tools.net.address import Address, Network, is_admitted
from deployments.tools.net.errors import RefusedError
from deployments.tools.net.resolver import Resolver

MAX_ADDRESSES = 4  # of a host that are tried, one after the other; getaddrinfo puts the likely ones first
# A response may rightly be silent for hours, as an event stream is: the system notices a peer that is gone.
KEEP_ALIVE = ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60))


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """TCP to public addresses and to those of the declared networks; to no Unix socket."""

    def __init__(self, resolver: Resolver, networks: Collection[Network]) -> None:
        self._resolver = resolver
        self._networks = networks
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the backend's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address of the host that answers; `timeout` is for each, and for resolving.

        Raises:
            RefusedError: one of its addresses is not admitted.
            httpcore2.ConnectError: it has no address, or none answers.
            httpcore2.ConnectTimeout: not in time.
        """
        addresses = await self._checked(host, port, timeout)
        fault: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in addresses[:MAX_ADDRESSES]:
            try:
                return await self._inner.connect_tcp(str(address), port, timeout, local_address, KEEP_ALIVE)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                fault = error
        raise fault

    async def _checked(self, host: str, port: int, seconds: float | None) -> Sequence[Address]:
        addresses = await self._resolved(host, port, seconds)
        for address in addresses:
            if not is_admitted(address, self._networks):
                raise RefusedError(
                    f"{host} is at {address}, which is no public address; allow_networks would have to declare it"
                )
        return addresses

    async def _resolved(self, host: str, port: int, seconds: float | None) -> Sequence[Address]:
        try:
            return [ip_address(host)]
        except ValueError:
            pass  # a name
        try:
            async with asyncio.timeout(seconds):
                return await self._resolver.resolve(host, port)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(f"{host} was not resolved in {seconds:g} s") from error
        except OSError as error:
            raise httpcore2.ConnectError(f"{host} cannot be resolved: {error}") from error
