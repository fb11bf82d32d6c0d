"""Calls side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from cluster.jobs.window import in_order


class Calls:
    """Twenty coroutines that end in another order than they began."""

    def __init__(self) -> None:
        self.asked = 0
        self.running = 0
        self.cancelled = 0

    def __iter__(self) -> Iterator[Coroutine[Any, Any, int]]:
        for number in range(20):
            self.asked += 1
            yield self._call(number)

    async def _call(self, number: int) -> int:
        self.running += 1
        try:
            for _ in range(10 - number % 4 * 3):
                await asyncio.sleep(0)
            if number == 12:
                raise ValueError("the twelfth")
            return number
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1


async def test_results_come_in_order_from_a_bounded_window() -> None:
    """Input is read only as results are taken; a failure leaves nothing running."""
    calls = Calls()
    taken: list[int] = []
    running: list[int] = []

    async def take() -> None:
        async with aclosing(in_order(calls, 5)) as results:
            async for result in results:
                taken.append(result)
                running.append(calls.running)
                assert calls.asked <= len(taken) + 4

    with pytest.raises(ValueError, match="the twelfth"):
        await take()
    assert taken == list(range(12))
    assert max(running) > 1
    assert calls.running == 0
    assert calls.cancelled > 0
