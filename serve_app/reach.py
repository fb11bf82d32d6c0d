"""Calls between applications, by handle: in time, cancelled with whoever waits, their errors the tree's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from autoglm.errors import UnavailableError
from deployments.router.failures import translated
from deployments.router.targets import answered


async def answer(response: Any, whom: str, timeout_s: float) -> Any:
    """What a handle call gives.

    Raises:
        UnavailableError: no answer within `timeout_s`, or whoever is called is not there.
        APIStatusError: what the call raised on purpose.
    """
    try:
        with translated(whom):
            async with asyncio.timeout(timeout_s):
                return await answered(response)
    except TimeoutError:
        raise UnavailableError(f"{whom} did not answer within {timeout_s:g} s", retry_after=1.0) from None


async def stream(response: Any, whom: str) -> AsyncGenerator[Any]:
    """What a streaming handle call gives; closing the iterator cancels the call."""
    with translated(whom):
        try:
            async for item in response:
                yield item
        finally:
            response.cancel()
