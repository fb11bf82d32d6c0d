"""Hosts as they may be written: a name, or an address in its one canonical form."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Self

import httpx2

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)")  # what the URL standard takes for a part of an IPv4 address
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """A host and the port on it; without a port, that of the scheme."""

    host: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`.

        Raises:
            ValueError: it is something else.
        """
        try:
            url = httpx2.URL(f"https://{text}")
        except httpx2.InvalidURL as error:
            raise ValueError(f"got {text!r}: {error}; a host, or HOST:PORT, would do") from error
        if not set(text).isdisjoint("@/\\?#"):
            raise ValueError(f"got {text!r}; a host, or HOST:PORT, would do")
        return cls(canonical_host(url), url.port)

    @classmethod
    def of(cls, url: httpx2.URL) -> Self:
        """That of an address which was declared.

        Raises:
            ValueError: its host is not written as one may be.
        """
        return cls(canonical_host(url), url.port)

    def admits(self, url: httpx2.URL) -> bool:
        """Whether this is the host and the port of the address."""
        port = _PORTS.get(url.scheme)
        return url.raw_host.decode() == self.host and (url.port or port) == (self.port or port)


def canonical_host(url: httpx2.URL) -> str:
    """The host in ASCII; an address only in the form in which it is printed.

    `2130706433`, `0x7f.1` and `0177.0.0.1` are addresses to some readers and names to others: they are refused, with
    whatever else the URL standard (WHATWG, 4.3.4) reads as an IPv4 address and RFC 3986 does not.

    Raises:
        ValueError: it is none.
    """
    host = url.raw_host.decode("ascii").lower()
    if ":" in host or _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return _address(host)
    if not host or len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise ValueError(f"got the host {host!r}; letters, digits and hyphens between dots would do")
    return host


def _address(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(f"got the host {host!r}; an address is four decimal numbers, or IPv6 in brackets") from None
    if getattr(address, "scope_id", None):
        raise ValueError(f"got the host {host!r}; an address with a zone means another host on each machine")
    return host
