"""JSON Web Tokens as credentials: fixed, from a file that is renewed, or from a function that asks for one."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import Any, Protocol, Self

import httpx

from autoglm.client.secret import Secret, header_safe
from autoglm.errors import ConfigError

Fetch = Callable[[], Secret]
_Steps = Generator[httpx.Request | Fetch, Any, None]  # answered with the response, or with the token


class TokenSource(Protocol):
    """Where a token comes from."""

    def held(self) -> Secret | None:
        """The token at hand, None where one must be fetched."""

    def fetch(self, stale: Secret | None = None) -> Secret:
        """A token, another than the refused `stale` one where there is another; may take its time."""


class JWT(httpx.Auth):
    """A token sent as `Authorization: Bearer`; a 401 makes its source be asked once for another."""

    def __init__(self, source: TokenSource) -> None:
        self._source = source

    def __repr__(self) -> str:
        return f"JWT({type(self._source).__name__})"

    @classmethod
    def static(cls, token: str) -> Self:
        """One token, for as long as it is good.

        Raises:
            ConfigError: it cannot stand in an HTTP header. The message does not show it.
        """
        return cls(StaticToken(token))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """The token in a file, read again when the file's time of modification changes (as Kubernetes renews one).

        Each call raises ConfigError while the file cannot be read or holds no token.
        """
        return cls(FileToken(Path(path)))

    @classmethod
    def from_callable(cls, fn: Callable[[], str], leeway_s: float = 30) -> Self:
        """The token that `fn` returns, asked again `leeway_s` before its `exp`, and once on a 401.

        Threads that need a new one at the same time ask once together. The asynchronous client calls `fn` in a
        thread. What `fn` raises, the call raises.
        """
        return cls(CallableToken(fn, leeway_s))

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        steps = self._steps(request)
        came: Any = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration:
                return
            came = (yield step) if isinstance(step, httpx.Request) else step()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        import asyncio

        steps = self._steps(request)
        came: Any = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration:
                return
            came = (yield step) if isinstance(step, httpx.Request) else await asyncio.to_thread(step)

    def _steps(self, request: httpx.Request) -> _Steps:
        """The flow, written once: a request is to be sent, a function to be called where it may take its time."""
        token: Secret = self._source.held() or (yield self._source.fetch)
        _bear(request, token)
        response: httpx.Response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        other: Secret = yield lambda: self._source.fetch(token)
        if other != token:
            _bear(request, other)
            yield request


class StaticToken:
    """Always the same."""

    def __init__(self, token: str) -> None:
        self._token = header_safe(Secret(token), "jwt")

    def held(self) -> Secret:
        return self._token

    def fetch(self, stale: Secret | None = None) -> Secret:
        return self._token


class FileToken:
    """Reads the file when it was changed; one look at its time for each request."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[int, Secret] | None = None  # replaced as a whole, so that threads see both or neither

    def held(self) -> Secret | None:
        read = self._read
        return read[1] if read is not None and read[0] == self._modified() else None

    def fetch(self, stale: Secret | None = None) -> Secret:
        modified = self._modified()
        try:
            found = Secret(self._path.read_text().strip())
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"jwt: {self._path} cannot be read: {type(error).__name__}") from None
        token = header_safe(found, f"jwt: {self._path}")
        self._read = (modified, token)
        return token

    def _modified(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except OSError as error:
            raise ConfigError(f"jwt: {self._path} cannot be read: {error.strerror}") from error


class CallableToken:
    """Asks the function before the token expires; `now` is in seconds since 1970."""

    def __init__(self, fn: Callable[[], str], leeway_s: float, now: Callable[[], float] = time.time) -> None:
        self._fn = fn
        self._leeway_s = leeway_s
        self._now = now
        self._lock = threading.Lock()
        self._token: Secret | None = None
        self._expires: float | None = None

    def held(self) -> Secret | None:
        token, expires = self._token, self._expires
        return None if expires is not None and self._now() >= expires - self._leeway_s else token

    def fetch(self, stale: Secret | None = None) -> Secret:
        with self._lock:
            other = self.held()
            if other is not None and other != stale:  # another thread was faster
                return other
            token = header_safe(self._issued(), "jwt: the function's token")
            self._token, self._expires = token, expiry(token)
            return token

    def _issued(self) -> Secret:
        try:
            return Secret(self._fn())
        except StopIteration as error:  # which asyncio can carry out of no thread
            raise ConfigError(
                "jwt: the function raised StopIteration; one that returns a token each time does"
            ) from error


def expiry(token: Secret) -> float | None:
    """The `exp` of a token (RFC 7519, section 4.1.4) in seconds since 1970; None where it has none or is opaque.

    The signature is the server's to check.
    """
    try:
        _, payload, _ = token.reveal().split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return None
    found = claims.get("exp") if isinstance(claims, dict) else None
    return float(found) if isinstance(found, int | float) else None


def _bear(request: httpx.Request, token: Secret) -> None:
    request.headers["Authorization"] = f"Bearer {token.reveal()}"
