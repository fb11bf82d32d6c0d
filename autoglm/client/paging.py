"""Long lists: asked for page by page, as their items are needed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import TypeVar

from autoglm.client.admin_calls import Pages
from autoglm.client.exchange import AsyncRun, Run

T = TypeVar("T")


def items(run: Run, pages: Pages[T]) -> Generator[T, None, None]:
    """What is on all pages."""
    call = next(pages)
    while True:
        page = run(call)
        yield from page.data
        try:
            call = pages.send(page)
        except StopIteration:
            return


async def items_async(run: AsyncRun, pages: Pages[T]) -> AsyncGenerator[T, None]:
    """`items` for `async for`."""
    call = next(pages)
    while True:
        page = await run(call)
        for item in page.data:
            yield item
        try:
            call = pages.send(page)
        except StopIteration:
            return
