"""Whose address a request has."""

from __future__ import annotations

import pytest

from serve_app.http.address import client_address


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, [], "10.0.0.9"),
        (0, ["6.6.6.6"], "10.0.0.9"),
        (1, ["10.0.0.1"], "10.0.0.1"),
        (1, ["6.6.6.6, 10.0.0.1"], "10.0.0.1"),
        (1, ["6.6.6.6", "10.0.0.1"], "10.0.0.1"),
        (2, ["6.6.6.6, 10.0.0.1, 10.0.0.2"], "10.0.0.1"),
        (1, [], "10.0.0.9"),
        (3, ["10.0.0.1"], "10.0.0.1"),
    ],
)
def test_only_what_our_own_proxies_appended_is_believed(proxies: int, forwarded: list[str], address: str) -> None:
    """Each appends who called it; what stands before that is the client's word."""
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    assert client_address({"type": "http", "client": ("10.0.0.9", 1234), "headers": headers}, proxies) == address


def test_a_connection_without_an_address_has_none() -> None:
    """A Unix socket's."""
    assert client_address({"type": "http", "client": None, "headers": []}, 0) == ""
