"""Very many calls at a time, by the sync or the async client; what each ended in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from autoglm import errors
from autoglm.client import AsyncAutoClient, AutoClient

End = str | type[errors.AutoGLMError]


def sync_swarm(client: AutoClient, names: Iterable[str], concurrency: int) -> list[End]:
    """The label or the error's class of each call, in order; anything but an error of the tree is raised."""

    def call(name: str) -> End:
        try:
            return client.predict("t", name).predictions[0].label
        except errors.AutoGLMError as error:
            return type(error)

    with ThreadPoolExecutor(concurrency) as pool:
        return list(pool.map(call, names))


async def async_swarm(client: AsyncAutoClient, names: Iterable[str], concurrency: int) -> list[End]:
    """The same, in tasks."""
    slots = asyncio.Semaphore(concurrency)

    async def call(name: str) -> End:
        async with slots:
            try:
                return (await client.predict("t", name)).predictions[0].label
            except errors.AutoGLMError as error:
                return type(error)

    return await asyncio.gather(*(call(name) for name in names))
