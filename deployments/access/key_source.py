"""Where an issuer's keys come from: a file or a URL, both read again when they change."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol

import httpx
from jwt import PyJWK

from autoglm.errors import UnavailableError
from deployments.access.jwks import Algorithm, KeySet, parse

logger = logging.getLogger("ray.serve")

MAX_BYTES = 1024 * 1024
FRESH_S = 300.0  # a key that the issuer took away is refused after at most so long
RETRY_S = 10.0  # the least time between two fetches, whatever the callers send; a file that failed, too
PATIENCE_S = 1.0  # how long a token waits for newer keys while there are older ones
TIMEOUT_S = 5.0


class KeySource(Protocol):
    """The keys of an issuer, as they are now."""

    async def find(self, kid: str | None) -> PyJWK | None:
        """The key with this id, None where there is none.

        Raises:
            UnavailableError: no key set could be read yet.
        """

    async def aclose(self) -> None:
        """End what runs in the background."""


class FileKeys:
    """A file's keys, read again when its time, size or inode changes (as Kubernetes renews a mounted secret).

    A file that is gone or no key set leaves the last good one in force.
    """

    def __init__(
        self, path: Path, algorithms: Collection[Algorithm], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = path
        self._algorithms = algorithms
        self._monotonic = monotonic
        self._keys: KeySet | None = None
        self._stamp: tuple[int, ...] | None = None
        self._again_at = 0.0

    async def find(self, kid: str | None) -> PyJWK | None:
        """As KeySource has it. Costs one `stat`; the reading, some 1 ms, is done here too."""
        self._reread()
        if self._keys is None:
            raise no_keys()
        return self._keys.find(kid)

    async def aclose(self) -> None:
        """Nothing runs."""

    def _reread(self) -> None:
        now, stamp = self._monotonic(), stamp_of(self._path)
        # Also without a change, now and then: two writes in one tick of the file system's clock look like one.
        if stamp == self._stamp and now < self._again_at:
            return
        self._stamp = stamp  # taken before the reading, so that a change during it is seen the next time
        try:
            self._keys = parse(self._read(), self._algorithms)
        except (OSError, ValueError) as error:
            self._again_at = now + RETRY_S
            logger.warning("jwks_file %s cannot be used, the keys of before stay: %s", self._path, error)
        else:
            self._again_at = now + FRESH_S
            log_taken("jwks_file", self._path, self._keys)

    def _read(self) -> bytes:
        with self._path.open("rb") as file:
            document = file.read(MAX_BYTES + 1)
        if len(document) > MAX_BYTES:
            raise too_large()
        return document


class UrlKeys:
    """A URL's keys: fetched when first used, when older than FRESH_S, and for an id that is not among them.

    At most one fetch at a time and one in RETRY_S, so that tokens with invented ids cannot make this process flood
    the issuer; a key that the issuer adds is known after at most RETRY_S. While the URL does not answer, the last
    good set stays in force.
    """

    def __init__(
        self,
        url: str,
        algorithms: Collection[Algorithm],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = httpx.URL(url)
        self._algorithms = algorithms
        self._monotonic = monotonic
        self._transport = transport
        self._tls: ssl.SSLContext | None = None
        self._keys: KeySet | None = None
        self._read_at = self._tried_at = float("-inf")
        self._flight: asyncio.Task[None] | None = None

    async def find(self, kid: str | None) -> PyJWK | None:
        """As KeySource has it; may wait for a fetch."""
        if self._monotonic() - self._read_at >= FRESH_S:
            await self._refresh(None if self._keys is None else PATIENCE_S)
        if self._keys is None:
            raise no_keys()
        found = self._keys.find(kid)
        if found is None and kid is not None:
            await self._refresh(None)
            found = self._keys.find(kid)
        return found

    async def aclose(self) -> None:
        """Cancel the fetch that may be under way."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait({self._flight})

    async def _refresh(self, patience: float | None) -> None:
        """Wait for a fetch, at most `patience` seconds; at once back where it is too early for one."""
        if self._flight is None or self._flight.done():
            now = self._monotonic()
            if now - self._tried_at < RETRY_S:
                return
            self._tried_at = now
            self._flight = asyncio.create_task(self._fetch())
        await asyncio.wait({self._flight}, timeout=patience)  # does not cancel it, neither late nor when cancelled

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                document = await self._download()
            self._keys = parse(document, self._algorithms)
        except (httpx.HTTPError, OSError, ValueError) as error:
            fault = str(error) or type(error).__name__
            logger.warning("jwks_url of %s cannot be used, the keys of before stay: %s", self._url.host, fault)
        else:
            self._read_at = self._monotonic()
            log_taken("jwks_url of", self._url.host, self._keys)

    async def _download(self) -> bytes:
        if self._tls is None:
            self._tls = await asyncio.to_thread(httpx.create_ssl_context)  # reads all certificates: some 20 ms
        client = httpx.AsyncClient(
            transport=self._transport,
            verify=self._tls,
            timeout=TIMEOUT_S,
            follow_redirects=False,
            trust_env=self._url.scheme == "https",  # no proxy for the loopback
        )
        # As it is sent: a small compressed body could be a very large one.
        async with client, client.stream("GET", self._url, headers={"accept-encoding": "identity"}) as response:
            if response.status_code != httpx.codes.OK:
                raise ValueError(f"it answered {response.status_code}; 200 does, and redirects are not followed")
            document = bytearray()
            async for part in response.aiter_raw():
                document += part
                if len(document) > MAX_BYTES:
                    raise too_large()
        return bytes(document)


def stamp_of(path: Path) -> tuple[int, ...] | None:
    """What changes when a file does; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def too_large() -> ValueError:
    """For a document of another kind, or a hostile one."""
    return ValueError(f"it is larger than {MAX_BYTES} bytes")


def no_keys() -> UnavailableError:
    """For tokens that come before the first key set."""
    return UnavailableError(
        "authorization: tokens cannot be checked at the moment: the issuer's keys could not be read",
        param="authorization",
        retry_after=RETRY_S,
    )


def log_taken(kind: str, place: object, keys: KeySet) -> None:
    """Say how many keys there are; a set without any is worth a warning."""
    level = logging.INFO if keys.keys else logging.WARNING
    logger.log(level, "%s %s: %d keys taken, %d ignored", kind, place, len(keys.keys), keys.ignored)
