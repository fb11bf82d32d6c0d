"""Open-loop traffic of several clients: streams and whole answers, at random, whatever became of those before."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, Self

import aiohttp
import orjson

from benchmarks.chaos.verdict import Reply, Verdict, judge

CLIENTS = 4  # each with connections of its own
DEADLINE_S = 60.0  # told to the router
PATIENCE_S = 75.0  # a client waits longer than that, so that a documented error can still come
BROKEN = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)
DATA, DONE = b"data: ", b"[DONE]"


@dataclass(frozen=True)
class Question:
    """A request and the text of its answer."""

    request: dict[str, Any]
    expected: str


class Asker(Protocol):
    """Where questions come from."""

    def question(self, chance: random.Random, *, is_repeated: bool) -> Question:
        """Another one each time, or one of a few."""
        ...


@dataclass(frozen=True)
class Exchange:
    """One request's end; `resent` where its connection broke before any byte and it was sent a second time."""

    seconds: float
    reply: Reply
    verdicts: frozenset[Verdict]
    resent: bool = False


class Traffic:
    """Requests at `rate` a second, half of them streams. Use it as an asynchronous context manager."""

    def __init__(self, url: str, key: str, asker: Asker, rate: float, seed: int) -> None:
        self._url = f"{url}/v1/chat/completions"
        self._headers = {"authorization": f"Bearer {key}", "x-request-timeout-s": f"{DEADLINE_S:g}"}
        self._asker = asker
        self._rate = rate
        self._chance = random.Random(seed)
        self._stack = AsyncExitStack()
        self._clients: list[aiohttp.ClientSession] = []
        self.under_way = 0

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        for _ in range(CLIENTS):
            connector = aiohttp.TCPConnector(limit=0)
            client = aiohttp.ClientSession(connector=connector, headers=self._headers, timeout=timeout)
            self._clients.append(await self._stack.enter_async_context(client))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @asynccontextmanager
    async def flowing(self, *, is_cached: bool = False) -> AsyncIterator[list[Exchange]]:
        """Traffic until the block is left; then the list is whole."""
        exchanges: list[Exchange] = []
        over = asyncio.Event()
        flow = asyncio.create_task(self._flow(exchanges, over, is_cached))
        try:
            yield exchanges
        finally:
            over.set()
            await flow

    async def _flow(self, exchanges: list[Exchange], over: asyncio.Event, is_cached: bool) -> None:
        due = time.monotonic()
        async with asyncio.TaskGroup() as group:
            while not over.is_set():
                due += self._chance.expovariate(self._rate)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                question = self._asker.question(self._chance, is_repeated=is_cached)
                group.create_task(self._one(exchanges, question, self._chance.random() < 0.5, is_cached))

    async def _one(self, exchanges: list[Exchange], question: Question, is_stream: bool, is_cached: bool) -> None:
        self.under_way += 1
        try:
            exchanges.append(await self.ask(question, is_stream=is_stream, is_cached=is_cached))
        finally:
            self.under_way -= 1

    async def ask(self, question: Question, *, is_stream: bool, is_cached: bool = False) -> Exchange:
        """One request; sent again, once, where its connection broke before any byte of a response."""
        began = time.monotonic()
        client = self._chance.choice(self._clients)
        body = question.request | {"stream": is_stream}
        headers = {} if is_cached else {"cache-control": "no-store"}
        reply = await self._sent(client, body, headers)
        if resent := reply.is_cut and not reply.status:
            reply = await self._sent(client, body, headers)
        return Exchange(time.monotonic() - began, reply, judge(reply, question.expected), resent)

    async def _sent(self, client: aiohttp.ClientSession, body: dict[str, Any], headers: dict[str, str]) -> Reply:
        reply = Reply()
        try:
            async with client.post(self._url, json=body, headers=headers) as response:
                reply.status = response.status
                reply.fallback = response.headers.get("x-autoglm-fallback")
                if response.content_type == "text/event-stream":
                    async for line in response.content:
                        read_line(line, reply)
                else:
                    read_body(await response.read(), reply)
        except BROKEN:
            reply.is_cut = True
        except TimeoutError:
            pass  # a reply with neither end nor error is judged as lost
        return reply


def read_line(line: bytes, reply: Reply) -> None:
    """One line of a stream of events."""
    data = line.removeprefix(DATA).strip()
    if not data:
        return
    if data == DONE:
        reply.is_closed = True
        return
    event = orjson.loads(data)
    if "error" in event:
        reply.error = event
    else:
        read_choices(event, "delta", reply)


def read_body(body: bytes, reply: Reply) -> None:
    """A whole answer, or an error in whatever form it came."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = body.decode(errors="replace")
    if reply.status != 200 or not isinstance(answer, dict):
        reply.error = answer
        return
    read_choices(answer, "message", reply)
    reply.is_closed = True


def read_choices(answer: dict[str, Any], field: str, reply: Reply) -> None:
    """The text and the ends of an answer or of a part of one."""
    for choice in answer["choices"]:
        reply.text += choice[field].get("content") or ""
        reply.ends += choice["finish_reason"] is not None
