"""Answers in Redis, shared by all router replicas. Whether it answers or not, no request fails by it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from urllib.parse import quote

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from deployments.router.cache.entry import Entry, decode, encode
from deployments.router.cache.fingerprint import Key
from deployments.router.cache.outage import Outage

PREFIX = "autoglm:cache"
TIMEOUT_S = 0.1  # a hundred times what Redis takes in the same network; the most that a request can lose by it
MAX_CONNECTIONS = 32
HEADER_BYTES = 64 * 1024  # what mark, seal and header may take beside the body
SCANNED = 1_000  # keys looked at by one SCAN, about 1 ms of Redis


class RedisStore:
    """A `Remote` at a URL: redis://, rediss:// or unix://; a path of `/1` is the database 1.

    Two clusters that serve other models under the same names need a database each. Values are sealed with their key
    (entry.py), so that damage, a mix-up, or a value from another tenant's key is a miss; there is no secret in the
    seal, so that whoever may write to this Redis can forge answers. A value that is no entry of its key is deleted.

    While Redis is down one request in RETRY_S asks it and may lose `timeout_s`; the others lose nothing.
    """

    def __init__(
        self,
        url: str,
        *,
        max_entry_bytes: int,
        timeout_s: float = TIMEOUT_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_value_bytes = max_entry_bytes + HEADER_BYTES
        self._timeout_s = timeout_s
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=MAX_CONNECTIONS,
            timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
        )
        self._redis = Redis.from_pool(pool)
        self._outage = Outage(place_of(pool.connection_kwargs), monotonic)

    @property
    def is_down(self) -> bool:
        """As Remote has it."""
        return self._outage.is_on

    async def get(self, key: Key) -> Entry | None:
        """As Remote has it; at most the longest value that there may be is read of one that is longer."""
        if not self._outage.admits():
            return None
        data: bytes | str = b""
        async with self._asked():
            data = await self._redis.getrange(path_of(key), 0, self._max_value_bytes)
        try:
            return decode(data, key) if isinstance(data, bytes) and data else None
        except ValueError:
            async with self._asked():
                await self._redis.unlink(path_of(key))
            return None

    async def put(self, kept: Sequence[tuple[Entry, float]]) -> bool:
        """As Remote has it, in one round trip."""
        if not self._outage.admits():
            return False
        pipeline = self._redis.pipeline(transaction=False)
        for entry, keep_s in kept:
            value = encode(entry)
            if len(value) <= self._max_value_bytes:
                pipeline.set(path_of(entry.key), value, px=max(1, round(keep_s * 1000)))
        async with self._asked():
            await pipeline.execute()
            return True
        return False

    async def drop(self, name: str, version: str | None) -> None:
        """As Remote has it. Looks at every key of the database, SCANNED at a time: seconds for some millions.

        While Redis is down nothing is dropped; answers of a version that is gone are found by no key all the same.
        """
        if not self._outage.admits():
            return
        async with self._asked(is_long=True):
            cursor, is_first = 0, True
            while cursor or is_first:
                cursor, found = await self._redis.scan(cursor, pattern_of(name, version), SCANNED)
                is_first = False
                if found:
                    await self._redis.unlink(*found)

    async def aclose(self) -> None:
        """As Remote has it."""
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()

    @asynccontextmanager
    async def _asked(self, *, is_long: bool = False) -> AsyncIterator[None]:
        """A question whose failure is the outage's and not the caller's; of a long one only each command is timed."""
        try:
            async with asyncio.timeout(None if is_long else self._timeout_s):
                yield
        except (RedisError, OSError, TimeoutError, asyncio.IncompleteReadError) as fault:
            self._outage.failed(fault)
        else:
            self._outage.answered()


def path_of(key: Key) -> str:
    """The name in Redis: model, version and digest. The tenant is in the digest and the seal, and not to be read."""
    return f"{PREFIX}:{quote(key.name, safe='')}:{quote(key.version, safe='')}:{key.digest.hex()}"


def pattern_of(name: str, version: str | None) -> str:
    """What SCAN finds the names by; a quoted name holds none of its wildcards."""
    return f"{PREFIX}:{quote(name, safe='')}:{'*' if version is None else quote(version, safe='')}:*"


def place_of(kwargs: dict[str, object]) -> str:
    """Host and port, or the socket's path: the URL without who logs in."""
    return str(kwargs.get("path") or f"{kwargs.get('host', 'localhost')}:{kwargs.get('port', 6379)}")
