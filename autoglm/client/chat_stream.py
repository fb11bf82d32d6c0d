"""An answer as it is written: chunks of a chat, over one connection that is closed when it is left."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from types import TracebackType
from typing import Self

import httpx

from autoglm.client.event_parser import EventParser
from autoglm.client.failure import connection_error, event_error, unreadable
from autoglm.contract.chat import ChatChunk
from autoglm.errors import APIConnectionError

END_OF_STREAM = "[DONE]"


class ChunkReader:
    """Bytes in, chunks out: what the sync and the async stream share."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._events = EventParser()
        self.ended = False

    def feed(self, data: bytes) -> Iterator[ChatChunk]:
        """The chunks that these bytes finish; `ended` is set at `[DONE]`.

        Raises:
            APIStatusError: the server sent an error instead of a chunk.
            APIConnectionError: an event is no chunk.
        """
        for event in self._events.feed(data):
            if event == END_OF_STREAM:
                self.ended = True
                return
            yield self._chunk(event)

    def cut(self) -> APIConnectionError:
        """The error of a stream that stopped before its end: what came may be half an answer."""
        return APIConnectionError(
            f"{self._response.url}: the stream ended before {END_OF_STREAM}, so the answer may be cut short; ask again"
        )

    def _chunk(self, event: str) -> ChatChunk:
        try:
            body = json.loads(event)
            if isinstance(body, dict) and body.get("error"):
                raise event_error(self._response, event)
            return ChatChunk.model_validate(body)
        except ValueError as error:  # pydantic's ValidationError is one too
            raise unreadable(self._response, "an event that is no ChatChunk") from error


class ChatStream(Iterator[ChatChunk]):
    """Iterates over the chunks of an answer; a context manager that closes the connection.

    Raises, while iterating:
        APIConnectionError: the stream was cut before its end.
        APIStatusError: the server sent an error in mid-stream.
    """

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._chunks = self._read()

    def __next__(self) -> ChatChunk:
        return next(self._chunks)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; the server stops generating."""
        self._chunks.close()
        self._response.close()  # the generator's own closing runs only if it was started

    def _read(self) -> Generator[ChatChunk, None, None]:
        reader = ChunkReader(self._response)
        try:
            for data in self._response.iter_bytes():
                yield from reader.feed(data)
                if reader.ended:
                    return
            raise reader.cut()
        except httpx.HTTPError as error:
            raise connection_error(self._response.request, error) from error
        finally:
            self._response.close()


class AsyncChatStream(AsyncIterator[ChatChunk]):
    """`ChatStream` for `async for` and `async with`; it raises the same."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._chunks = self._read()

    async def __anext__(self) -> ChatChunk:
        return await anext(self._chunks)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection; the server stops generating."""
        await self._chunks.aclose()
        await self._response.aclose()  # the generator's own closing runs only if it was started

    async def _read(self) -> AsyncGenerator[ChatChunk, None]:
        reader = ChunkReader(self._response)
        try:
            async for data in self._response.aiter_bytes():
                for chunk in reader.feed(data):
                    yield chunk
                if reader.ended:
                    return
            raise reader.cut()
        except httpx.HTTPError as error:
            raise connection_error(self._response.request, error) from error
        finally:
            await self._response.aclose()
