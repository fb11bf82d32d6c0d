"""Failed attempts to log in, counted for each client address."""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from autoglm.errors import RateLimitError

WINDOW_S = 60.0
MAX_SOURCES = 10_000  # about 3 MB; beyond, the one that has not failed for the longest time is forgotten
MAX_TEXT = 64  # characters kept of an address that is none, such as a Unix socket's
IPV6_NETWORK_BITS = 64  # what one subscriber gets: who has one address of it has all


@dataclass(slots=True)
class Window:
    """The failures since `started`."""

    started: float
    failures: int = 0


class Attempts:
    """At most `limit` failures of an address in the minute that its first one starts; then it waits for the end.

    Each router replica counts on its own, so that a cluster lets through `limit` times the number of its replicas.
    Not for threads.
    """

    def __init__(self, limit: int, monotonic: Callable[[], float]) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._windows: OrderedDict[str, Window] = OrderedDict()

    def failed(self, address: str) -> None:
        """Count one."""
        source = source_of(address)
        window = self._windows.pop(source, None)
        if window is None or self._left(window) <= 0:
            window = Window(self._monotonic())
        window.failures += 1
        self._windows[source] = window
        if len(self._windows) > MAX_SOURCES:
            self._windows.popitem(last=False)

    def blocked(self, address: str) -> float | None:
        """The seconds until the address may try again; None where it may now."""
        window = self._windows.get(source_of(address))
        if window is None or window.failures < self._limit:
            return None
        left = self._left(window)
        return left if left > 0 else None

    def admit(self, address: str) -> None:
        """Let an address try that is not blocked.

        Raises:
            RateLimitError: it is blocked; `retry_after` says how long.
        """
        if (wait := self.blocked(address)) is not None:
            raise RateLimitError(
                f"authorization: too many failed attempts from this address; try again in {math.ceil(wait)} s",
                param="authorization",
                retry_after=wait,
            )

    def _left(self, window: Window) -> float:
        return window.started + WINDOW_S - self._monotonic()


def source_of(address: str) -> str:
    """What is counted: an IPv4 address, the /64 of an IPv6 one, or the text itself where it is neither."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:MAX_TEXT]
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:  # a socket of both families names IPv4 clients so; they are not one network
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed.packed, IPV6_NETWORK_BITS), strict=False))
