"""An answer as it is written: chunks of a chat."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx

from autoglm.client.event_parser import EventParser
from autoglm.client.failure import event_error, unreadable
from autoglm.client.stream import AsyncStream, Stream, read, read_async
from autoglm.contract.chat import ChatChunk
from autoglm.errors import APIConnectionError

END_OF_STREAM = "[DONE]"


class ChunkReader:
    """Bytes in, chunks out."""

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
        """What came may be half an answer."""
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


class ChatStream(Stream[ChatChunk]):
    """Iterates over the chunks of an answer; a context manager. Who closes it stops the server's generating.

    Raises, while iterating:
        APIConnectionError: the stream was cut before its end.
        APIStatusError: the server sent an error in mid-stream.
    """

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(read(response, ChunkReader(response)), response.close)


class AsyncChatStream(AsyncStream[ChatChunk]):
    """`ChatStream` for `async for` and `async with`; it raises the same."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(read_async(response, ChunkReader(response)), response.aclose)
