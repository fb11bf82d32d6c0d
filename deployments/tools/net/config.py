"""Where a tool's entry may send requests to, and how much it takes back."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

from pydantic import BaseModel, ConfigDict, Field, field_validator

from deployments.tools.net.host import AllowedHost

MIB = 1024 * 1024


class OutgoingConfig(BaseModel):
    """`allow_hosts` are hosts beside the declared address's own, as `HOST` or `HOST:PORT`.

    Addresses inside the cluster's own networks, loopback included, are refused unless one of `allow_networks` (as
    `10.1.0.0/16`) holds them. `allow_http` lets requests go without TLS. A response may have `max_response_bytes`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    allow_hosts: tuple[str, ...] = Field(default=(), max_length=100)
    allow_networks: tuple[IPv4Network | IPv6Network, ...] = Field(default=(), max_length=100)
    allow_http: bool = False
    max_response_bytes: int = Field(default=4 * MIB, ge=1, le=256 * MIB)

    @field_validator("allow_hosts")
    @classmethod
    def _hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            AllowedHost.parse(host)
        return hosts
