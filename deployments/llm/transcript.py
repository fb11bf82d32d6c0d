"""The engine's stream of one answer as events that say which tokens are behind them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import orjson

from autoglm.errors import APIStatusError, UpstreamError, error_class
from deployments.stream import Event, Opening

DATA = "data: "
DONE = "data: [DONE]\n\n"
ERROR = 'data: {"error"'  # how the engine ends a stream that it cannot go on with


async def passed_on(lines: AsyncGenerator[str]) -> AsyncGenerator[Event]:
    """The engine's events as they are, of an answer that nobody could continue.

    Raises:
        APIStatusError: the engine failed; its own error event is not sent on.
    """
    async with aclosing(lines):
        async for line in lines:
            if line.startswith(ERROR):
                raise failure(parsed(line)["error"])
            yield Event(line.encode())


async def transcribed(lines: AsyncGenerator[str], *, shows_token_ids: bool) -> AsyncGenerator[Event]:
    """The same with tokens and characters, of a stream that was asked for with `return_token_ids`.

    Raises:
        APIStatusError: the engine failed.
    """
    transcript = Transcript(shows_token_ids)
    async with aclosing(lines):
        async for line in lines:
            if (event := transcript.add(line)) is not None:
                yield event


class Transcript:
    """Reads vLLM's chunks of an answer of one choice, and takes out of them what the caller did not ask for.

    From the chunk with the finish reason on all goes into one event, so that an answer is either broken off before
    its end is told or whole: whoever continues it need not know how much of the end was sent.
    """

    def __init__(self, shows_token_ids: bool) -> None:
        self._shows_token_ids = shows_token_ids
        self._is_finished = False
        self._data = b""
        self._token_ids: list[int] = []
        self._characters = 0

    def add(self, line: str) -> Event | None:
        """The event that this chunk completes, None where it goes with the next."""
        if line == DONE:
            self._data += line.encode()
            return self._event(None)
        chunk = parsed(line)
        if "error" in chunk:
            raise failure(chunk["error"])
        opening = self._read(chunk)
        if is_silent(chunk) and not self._shows_token_ids:  # written only because the tokens were asked for
            return None
        self._data += sent(chunk)
        return None if self._is_finished else self._event(opening)

    def _read(self, chunk: dict[str, Any]) -> Opening | None:
        choice = chunk["choices"][0] if chunk["choices"] else {}
        prompt = self._taken(chunk, "prompt_token_ids") or self._taken(choice, "prompt_token_ids")
        self._token_ids += self._taken(choice, "token_ids") or ()
        self._characters += len(text_of(choice))
        self._is_finished |= choice.get("finish_reason") is not None
        return Opening(chunk["id"], chunk["created"], prompt) if prompt else None

    def _taken(self, part: dict[str, Any], field: str) -> list[int] | None:
        return part.get(field) if self._shows_token_ids else part.pop(field, None)

    def _event(self, opening: Opening | None) -> Event:
        event = Event(self._data, self._token_ids, self._characters, opening)
        self._data, self._token_ids, self._characters = b"", [], 0
        return event


def is_silent(chunk: dict[str, Any]) -> bool:
    """Whether a chat's chunk says nothing: its tokens have no text yet."""
    return any(choice.get("delta") == {} and choice["finish_reason"] is None for choice in chunk["choices"])


def text_of(choice: dict[str, Any]) -> str:
    """What a chunk's choice adds to the text, of a chat or a completion."""
    return choice.get("text") or choice.get("delta", {}).get("content") or ""


def parsed(line: str) -> dict[str, Any]:
    """The JSON of one server-sent event."""
    chunk: dict[str, Any] = orjson.loads(line.removeprefix(DATA))
    return chunk


def sent(chunk: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: %s\n\n" % orjson.dumps(chunk)


def failure(error: Mapping[str, Any]) -> APIStatusError:
    """The engine's words as an error of the tree. What it calls internal is a replica that failed its request."""
    status = int(error["code"])
    cls = UpstreamError if status == 500 else error_class(status)
    return cls(error["message"], param=error.get("param"))
