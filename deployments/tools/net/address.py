"""Which addresses may be connected to: the public internet's, and those of networks that were declared."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the IPv4 address behind a translator


def is_admitted(address: Address, networks: Collection[Network]) -> bool:
    """Whether to connect: it lies in one of the networks, or is public with every address that is written in it.

    Loopback, link-local, private (RFC 1918, RFC 4193), shared (RFC 6598), multicast, reserved and unspecified
    addresses are not public, in no form in which IPv6 carries them (RFC 4291 mapped, RFC 6052 NAT64, RFC 3056 6to4).
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in networks):
        return True
    return _is_public(address) and all(is_admitted(inner, networks) for inner in _embedded(address))


def _is_public(address: Address) -> bool:
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, IPv4Address):
        return not address.is_reserved
    # All below ::/8 is reserved, which holds the old IPv4-compatible form and RFC 8215's local NAT64 too.
    return address in _NAT64 or not (address.is_reserved or address.is_site_local)


def _embedded(address: Address) -> Iterator[IPv4Address]:
    if isinstance(address, IPv4Address):
        return
    if address.sixtofour is not None:
        yield address.sixtofour
    if address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFFFFFF)
