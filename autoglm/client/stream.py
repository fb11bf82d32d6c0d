"""An answer in pieces: read as they come, over one connection that is closed when it is left."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from types import TracebackType
from typing import Protocol, Self, TypeVar

import httpx

from autoglm.client.failure import connection_error
from autoglm.errors import AutoGLMError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Reader(Protocol[T_co]):
    """Bytes in, pieces out: what the sync and the async stream share."""

    @property
    def ended(self) -> bool:
        """Whether the piece that ends the answer has come."""
        ...

    def feed(self, data: bytes) -> Iterator[T_co]:
        """The pieces that these bytes finish."""
        ...

    def cut(self) -> AutoGLMError:
        """The error of a stream that stopped before its end."""
        ...


class Stream(Iterator[T]):
    """Iterates over the pieces of an answer; a context manager that closes the connection."""

    def __init__(self, pieces: Generator[T, None, None], hang_up: Callable[[], object]) -> None:
        self._pieces = pieces
        self._hang_up = hang_up

    def __next__(self) -> T:
        return next(self._pieces)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._pieces.close()
        self._hang_up()  # the generator's own closing runs only if it was started


class AsyncStream(AsyncIterator[T]):
    """`Stream` for `async for` and `async with`; it raises the same."""

    def __init__(self, pieces: AsyncGenerator[T, None], hang_up: Callable[[], Awaitable[object]]) -> None:
        self._pieces = pieces
        self._hang_up = hang_up

    async def __anext__(self) -> T:
        return await anext(self._pieces)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection."""
        await self._pieces.aclose()
        await self._hang_up()  # the generator's own closing runs only if it was started


def read(response: httpx.Response, reader: Reader[T]) -> Generator[T, None, None]:
    """The pieces of a response.

    Raises:
        AutoGLMError: it was cut before its end.
    """
    try:
        for data in response.iter_bytes():
            yield from reader.feed(data)
            if reader.ended:
                return
        raise reader.cut()
    except httpx.HTTPError as error:
        raise connection_error(response.request, error) from error
    finally:
        response.close()


async def read_async(response: httpx.Response, reader: Reader[T]) -> AsyncGenerator[T, None]:
    """`read` for the asynchronous client."""
    try:
        async for data in response.aiter_bytes():
            for piece in reader.feed(data):
                yield piece
            if reader.ended:
                return
        raise reader.cut()
    except httpx.HTTPError as error:
        raise connection_error(response.request, error) from error
    finally:
        await response.aclose()
