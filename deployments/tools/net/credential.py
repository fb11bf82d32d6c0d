"""What proves to a service who asks: added to a request on the wire, and to none that goes elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx2

EXTENSION = "autoglm_credential"  # where a request of httpx carries one


@dataclass(frozen=True, slots=True)
class Credential:
    """Header fields, query parameters and cookies for one origin.

    The transport adds them behind httpx, which logs each request's address and follows redirects: so they are in no
    log, on no request object and in no request to another host.
    """

    origin: httpx2.URL
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    cookies: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def is_for(self, url: httpx2.URL) -> bool:
        """Whether the address is of the origin: scheme, host and port (RFC 6454)."""
        mine = self.origin
        return (url.scheme, url.raw_host, url.port) == (mine.scheme, mine.raw_host, mine.port)

    def target(self, path: bytes) -> bytes:
        """A path and query with the parameters at their end."""
        if not self.query:
            return path
        return path + (b"&" if b"?" in path else b"?") + urlencode(self.query).encode()

    def fields(self, headers: httpx2.Headers) -> httpx2.Headers:
        """Header fields with these in place of others of their names, and the cookies behind those that are there."""
        headers = httpx2.Headers(headers)
        for name, value in self.headers:
            headers[name] = value
        if self.cookies:
            pairs = [f"{name}={value}" for name, value in self.cookies]
            headers["cookie"] = "; ".join(filter(None, [headers.get("cookie"), *pairs]))
        return headers


def credential_of(request: httpx2.Request) -> Credential | None:
    """The one that a request carries, where it goes to its origin."""
    credential = request.extensions.get(EXTENSION)
    if isinstance(credential, Credential) and credential.is_for(request.url):
        return credential
    return None
