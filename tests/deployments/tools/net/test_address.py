"""Which addresses are connected to, and how a host may be written."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import httpx2
import pytest

from deployments.tools.net.address import is_admitted
from deployments.tools.net.host import AllowedHost, canonical_host


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.0.0.1",
        "172.31.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:7f00:1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2001::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_that_is_not_the_public_internets_is_refused(text: str) -> None:
    """Nor is one that IPv6 carries such an address in."""
    assert not is_admitted(ip_address(text), ())


@pytest.mark.parametrize("text", ["93.184.215.14", "::ffff:93.184.215.14", "2606:4700::1", "64:ff9b::5db8:d70e"])
def test_a_public_address_is_admitted(text: str) -> None:
    """In its mapped and translated forms too, as a network without IPv4 has them."""
    assert is_admitted(ip_address(text), ())


def test_a_declared_network_admits_its_own_addresses_alone() -> None:
    """However they are written."""
    networks = [ip_network("10.1.0.0/16")]
    assert is_admitted(ip_address("10.1.2.3"), networks)
    assert is_admitted(ip_address("::ffff:10.1.2.3"), networks)
    assert is_admitted(ip_address("64:ff9b::a01:203"), networks)
    assert not is_admitted(ip_address("10.2.0.1"), networks)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "127.0.0.1.",
        "1.2.3.0x4",
        "crm.internal.",
        "a..b",
        "[fe80::1%25x]",
    ],
)
def test_a_host_in_a_form_that_readers_disagree_on_is_refused(host: str) -> None:
    """A number to one is an address to another."""
    with pytest.raises(ValueError, match="host"):
        canonical_host(httpx2.URL(f"https://{host}/"))


@pytest.mark.parametrize("text", ["user@crm.internal", "crm.internal/path", "crm.internal?x", "0177.0.0.1", "a b", ""])
def test_an_allowed_host_is_a_host_alone(text: str) -> None:
    """With a port at most."""
    with pytest.raises(ValueError, match="host"):
        AllowedHost.parse(text)


@pytest.mark.parametrize(
    ("allowed", "url", "admitted"),
    [
        ("crm.internal", "https://CRM.internal/x", True),
        ("crm.internal", "https://crm.internal:8443/x", False),
        ("crm.internal:8443", "https://crm.internal:8443/x", True),
        ("crm.internal:8443", "https://crm.internal/x", False),
        ("crm.internal", "https://crm.internal.evil.example/x", False),
        ("crm.internal", "https://evil.example#@crm.internal/", False),
    ],
)
def test_a_host_is_allowed_with_its_port(allowed: str, url: str, admitted: bool) -> None:
    """What stands around it in an address does not make it another."""
    assert AllowedHost.parse(allowed).admits(httpx2.URL(url)) is admitted
