"""The tools that the runs' steps call: services with an effect, which write down every call that reaches them.

The first delivery under a key is the effect; a later one under the same key changes nothing and is answered the same,
as by a payment service that takes an `Idempotency-Key`. So what is counted is what such a service would have seen.
"""

from __future__ import annotations

import asyncio
import json
import os
import time

import autoglm

TOOLS = ("book", "transfer")


@autoglm.tool(idempotent=True)
def book(
    deliveries: str, errand: int, step: str, own: int, others: list[int], seconds: float, idempotency_key: str
) -> int:
    """Add an amount to those of other steps, in a thread.

    Args:
        deliveries: The file of the calls that came.
        errand: The run, as whoever sent it counts.
        step: The step's id.
        own: The amount.
        others: The results of the steps before.
        seconds: How long it takes until the effect.
    """
    time.sleep(seconds)
    return effect(deliveries, idempotency_key, errand, step, [own, *others])


@autoglm.tool(idempotent=True)
async def transfer(
    deliveries: str, errand: int, step: str, own: int, others: list[int], seconds: float, idempotency_key: str
) -> int:
    """Add an amount to those of other steps, on the host's loop; the arguments are those of `book`."""
    await asyncio.sleep(seconds)
    return effect(deliveries, idempotency_key, errand, step, [own, *others])


def effect(deliveries: str, key: str, errand: int, step: str, amounts: list[int]) -> int:
    """Write the call down, in one write at the file's end, so that a kill leaves all of the line or nothing."""
    line = json.dumps({"key": key, "call": [errand, step, *amounts]}) + "\n"
    descriptor = os.open(deliveries, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
    return sum(amounts)
