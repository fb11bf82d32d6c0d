"""Addresses as a declaration may have them."""

from __future__ import annotations

import httpx2

from deployments.tools.net.host import canonical_host


def declared_url(field: str, text: str, *, allow_http: bool) -> httpx2.URL:
    """The address that a declaration names.

    Raises:
        ValueError: it is no https address (or http, where that is allowed) of a host, or holds a user name.
    """
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL as error:
        raise ValueError(f"{field}: {error}; an address such as https://crm.internal/v1 would do") from error
    if url.userinfo:  # not shown: it may hold a password
        raise ValueError(f"{field}: got an address with a user name in it; credentials are given as references")
    if url.scheme == "http" and not allow_http:
        raise ValueError(f"{field}: got {text!r}, which is read by anyone on the way; allow_http: true permits it")
    if url.scheme not in ("http", "https") or not url.host or url.fragment:
        raise ValueError(f"{field}: got {text!r}; an address such as https://crm.internal/v1 would do")
    canonical_host(url)
    return url
