"""Who is calling: the credentials, and where one is found."""

from __future__ import annotations

import base64
from collections.abc import Generator

import httpx

from autoglm.client.jwt import JWT
from autoglm.client.secret import Secret, header_safe
from autoglm.errors import ConfigError
from autoglm.home import key_path, read_key

API_KEY_VARIABLE = "AUTOGLM_API_KEY"


class ApiKey(httpx.Auth):
    """A key sent as `Authorization: Bearer`; its repr hides it.

    Raises:
        ConfigError: the key cannot stand in an HTTP header. The message does not show it.
    """

    def __init__(self, secret: str) -> None:
        self._secret = header_safe(Secret(secret), "api_key")

    def __repr__(self) -> str:
        return "ApiKey('…')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ApiKey) and self._secret == other._secret

    def __hash__(self) -> int:
        return hash(self._secret)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._secret.reveal()}"
        yield request


class Basic(httpx.Auth):
    """A user and a password, sent in UTF-8 as RFC 7617 has it; its repr hides the password.

    Raises:
        ConfigError: the user's name holds a colon, which would end it. The message does not show the password.
    """

    def __init__(self, user: str, password: str) -> None:
        if ":" in user or not user:
            raise ConfigError(f"user: got {user!r}; a name that is not empty and has no colon does")
        self.user = user
        self._pair = Secret(base64.b64encode(f"{user}:{password}".encode()).decode("ascii"))

    def __repr__(self) -> str:
        return f"Basic({self.user!r}, '…')"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Basic {self._pair.reveal()}"
        yield request


Credential = ApiKey | Basic | JWT


def local_key() -> str | None:
    """The local cluster's key, None where none was ever started here.

    Raises:
        ConfigError: the file is another user's.
    """
    try:
        return read_key()
    except PermissionError as error:
        raise ConfigError(
            f"api_key: {key_path()} is not readable by this user; run as its owner or set {API_KEY_VARIABLE}"
        ) from error
