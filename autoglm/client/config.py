"""Where the server is and how long to wait for it."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from typing import Any

import httpx

from autoglm.client.auth import ApiKey, find_key
from autoglm.errors import ConfigError

BASE_URL_VARIABLE = "AUTOGLM_BASE_URL"
DEFAULT_BASE_URL = "http://127.0.0.1:8000/v1"
DEFAULT_TIMEOUT_S = 600.0  # a long answer that is not streamed sends its first byte when it is whole
CONNECT_TIMEOUT_S = 5.0  # a server that is there accepts at once, however long its answers take


@dataclass(frozen=True)
class ClientConfig:
    """What a client needs to know before its first call.

    `root` is the server's address without `/v1`, below which `/health` lies; `timeout_s` the longest silence in
    seconds.
    """

    root: httpx.URL
    credential: ApiKey | None
    timeout_s: float = DEFAULT_TIMEOUT_S

    @classmethod
    def resolve(cls, api_key: str | None, base_url: str | None, timeout_s: float) -> ClientConfig:
        """From the arguments, else the environment, else the defaults.

        Raises:
            ConfigError: the base URL or the key is malformed.
        """
        root = server_root(base_url or os.environ.get(BASE_URL_VARIABLE) or DEFAULT_BASE_URL)
        return cls(root, find_key(api_key, loopback=is_loopback(root.host)), timeout_s)

    @property
    def base_url(self) -> str:
        """The address in OpenAI's form, ending in `/v1`."""
        return f"{str(self.root).rstrip('/')}/v1"

    def http_options(self) -> dict[str, Any]:
        """The arguments that httpx's two clients share."""
        return {
            "base_url": self.root,
            "auth": self.credential,
            "timeout": httpx.Timeout(self.timeout_s, connect=min(self.timeout_s, CONNECT_TIMEOUT_S)),
            # A proxy of the environment cannot reach this machine's own loopback.
            "trust_env": not is_loopback(self.root.host),
        }


def server_root(base_url: str) -> httpx.URL:
    """The address without its `/v1`.

    Raises:
        ConfigError: it is no plain http or https address.
    """
    try:
        url = httpx.URL(base_url.strip())
    except httpx.InvalidURL as error:
        raise ConfigError(f"base_url: got {base_url!r}: {error}; {_EXAMPLE}") from error
    if url.userinfo:  # not shown: it may hold a password
        raise ConfigError(f"base_url: got an address with a user name in it; give the key as api_key; {_EXAMPLE}")
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise ConfigError(f"base_url: got {base_url!r}; {_EXAMPLE}")
    return url.copy_with(path=url.path.rstrip("/").removesuffix("/v1") or "/")


_EXAMPLE = f"an address such as {DEFAULT_BASE_URL} does"


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by name or address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
