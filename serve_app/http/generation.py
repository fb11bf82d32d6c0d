"""Chat and text completions, whole and streamed: what they are estimated to take, and what they took."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

import orjson
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from autoglm.contract import ChatRequest, CompletionRequest, StreamOptions
from autoglm.errors import APIStatusError
from deployments.quota import estimate
from deployments.router import Route
from serve_app.http.admission import Visit
from serve_app.http.errors import error_event

Generation = ChatRequest | CompletionRequest

LAST = b'"choices":[]'  # in the chunk that holds the usage, and in no other
DATA = b"data: "
END = b"\n\n"


class EventStream(StreamingResponse):
    """The events of an admitted call, which is settled when the response ends, also one that never began."""

    def __init__(self, events: AsyncGenerator[bytes], visit: Visit, headers: dict[str, str]) -> None:
        super().__init__(events, headers=headers | {"cache-control": "no-cache"}, media_type="text/event-stream")
        self._events = events
        self._visit = visit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._visit:
            async with aclosing(self._events):
                await super().__call__(scope, receive, send)


def estimated(body: Generation, route: Route) -> tuple[int, int]:
    """The tokens of the prompt, about, and the most that the answers may have."""
    limit = body.max_tokens
    if isinstance(body, ChatRequest) and body.max_completion_tokens is not None:
        limit = body.max_completion_tokens
    answers = estimate.completion_tokens(limit, cap=route.max_completion_tokens, n=body.n or 1)
    return estimate.prompt_tokens(texts(body)) + given_tokens(body), answers


def texts(body: Generation) -> Iterator[str]:
    """The texts of a prompt."""
    if isinstance(body, ChatRequest):
        for message in body.messages:
            parts = message.content if isinstance(message.content, list) else [{"text": message.content}]
            yield from (text for part in parts if isinstance(text := part.get("text"), str))
    elif isinstance(body.prompt, str):
        yield body.prompt
    else:
        yield from (prompt for prompt in body.prompt if isinstance(prompt, str))


def given_tokens(body: Generation) -> int:
    """The tokens that a prompt brings as such."""
    if isinstance(body, ChatRequest) or isinstance(body.prompt, str):
        return 0
    return sum(len(item) if isinstance(item, list) else 1 for item in body.prompt if not isinstance(item, str))


def with_usage(body: Generation) -> Generation:
    """The request with the engine's count of tokens at the end of its stream."""
    options = body.stream_options or StreamOptions()
    return body.model_copy(update={"stream_options": options.model_copy(update={"include_usage": True})})


def is_told_usage(body: Generation) -> bool:
    """Whether the caller asked for the count."""
    return body.stream_options is not None and bool(body.stream_options.include_usage)


async def metered(events: AsyncGenerator[bytes], visit: Visit, *, paid: bool, told: bool) -> AsyncGenerator[bytes]:
    """The stream without the chunk that counts the tokens, unless the caller is told.

    A stream that is broken off has no such chunk; each of its events is then counted as a token. Of one that is not
    paid for, since a cache gave it, nothing is counted.
    """
    is_counted = not paid
    async with aclosing(events):
        async for event in events:
            if LAST in event:
                parts = parted(event)
                usage = next(part for part in parts if LAST in part)
                if paid:
                    visit.used(orjson.loads(usage.removeprefix(DATA))["usage"])
                is_counted = True
                event = event if told else b"".join(part for part in parts if part is not usage)
            if event:
                visit.completion_tokens += not is_counted
                yield event


def parted(event: bytes) -> list[bytes]:
    """The single server-sent events of several; JSON holds no bare line break, so a blank line always ends one."""
    return [part + END for part in event.split(END) if part]


async def until_broken(events: AsyncGenerator[bytes], request_id: str) -> AsyncGenerator[bytes]:
    """A stream that ends with an error event, not with a cut connection, when its replica fails."""
    try:
        async with aclosing(events):
            async for event in events:
                yield event
    except APIStatusError as error:
        yield error_event(error, request_id)
