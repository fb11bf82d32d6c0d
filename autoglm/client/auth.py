"""Who is calling: the credential, and where one is found."""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from dataclasses import dataclass, field

import httpx

from autoglm.errors import ConfigError
from autoglm.home import key_path, read_key

API_KEY_VARIABLE = "AUTOGLM_API_KEY"

# What RFC 9110 lets into a header. Checked here, since the HTTP library would show a wrong value in its message.
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class ApiKey(httpx.Auth):
    """A key sent as `Authorization: Bearer`; its repr hides it.

    Raises:
        ConfigError: the key cannot stand in an HTTP header. The message does not show it.
    """

    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _HEADER_SAFE.fullmatch(self.secret):
            raise ConfigError(
                "api_key: got a value that is empty or holds spaces, line ends or non-ASCII characters; "
                "give the key alone, as it stands in the key file"
            )

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self.secret}"
        yield request


def find_key(api_key: str | None, *, loopback: bool) -> ApiKey | None:
    """The credential: the argument, else `AUTOGLM_API_KEY`, else (for a server on this machine) the local key file.

    The local key opens the local cluster, so it is never sent to another machine unasked.
    """
    secret = api_key if api_key is not None else os.environ.get(API_KEY_VARIABLE, "").strip() or None
    if secret is None and loopback:
        secret = _local_key()
    return None if secret is None else ApiKey(secret)


def _local_key() -> str | None:
    try:
        return read_key()
    except PermissionError as error:
        raise ConfigError(
            f"api_key: {key_path()} is not readable by this user; run as its owner or set {API_KEY_VARIABLE}"
        ) from error
