"""A closed-loop load generator: N clients on one event loop, each sending its next request on the last one's answer."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import aiohttp


@dataclass(frozen=True)
class Stream:
    """One request's times: seconds since the run began, `arrivals` one for each event that carried text."""

    sent: float
    done: float
    arrivals: tuple[float, ...] = ()

    @property
    def ttft(self) -> float:
        """Seconds to the first token."""
        return (self.arrivals[0] if self.arrivals else self.done) - self.sent


@dataclass(frozen=True)
class Run:
    """What a run of many requests gave."""

    wall: float
    streams: list[Stream] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.streams) / self.wall

    @property
    def latency(self) -> float:
        """Mean seconds from sending to the last byte."""
        return statistics.fmean(stream.done - stream.sent for stream in self.streams)

    @property
    def ttft(self) -> float:
        """Median seconds to the first token."""
        return statistics.median(stream.ttft for stream in self.streams)

    @property
    def inter_token(self) -> float:
        """Mean seconds between two events of a stream, 0 where nothing was streamed."""
        spans = [(s.arrivals[-1] - s.arrivals[0]) / (len(s.arrivals) - 1) for s in self.streams if len(s.arrivals) > 1]
        return statistics.fmean(spans) if spans else 0.0


Send = Callable[[aiohttp.ClientSession, Any], Awaitable[tuple[float, ...]]]


async def drive(send: Send, requests: Iterable[Any], *, concurrency: int, headers: dict[str, str]) -> Run:
    """Every request once, `concurrency` at a time, in order of the list."""
    pending = iter(list(requests))
    streams: list[Stream] = []

    async def client(session: aiohttp.ClientSession) -> None:
        for request in pending:
            sent = time.perf_counter()
            arrivals = await send(session, request)
            streams.append(Stream(sent, time.perf_counter(), arrivals))

    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=600)
    async with aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout) as session:
        start = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(client(session))
        return Run(time.perf_counter() - start, streams)


def streamed(url: str) -> Send:
    """Post a chat request and note when each event with text came; a broken or refused stream raises."""

    async def send(session: aiohttp.ClientSession, request: Any) -> tuple[float, ...]:
        arrivals = []
        finished = False
        async with session.post(url, json=request | {"stream": True}) as response:
            response.raise_for_status()
            async for line in response.content:
                if line.startswith(b'data: {"error"'):
                    raise RuntimeError(line.decode())
                finished = finished or line.startswith(b"data: [DONE]")
                if b'"content":"' in line and b'"role"' not in line:
                    arrivals.append(time.perf_counter())
        if not finished:
            raise RuntimeError(f"a stream of {url} ended before [DONE]")
        return tuple(arrivals)

    return send


def whole(url: str) -> Send:
    """Post a request and read the whole answer."""

    async def send(session: aiohttp.ClientSession, request: Any) -> tuple[float, ...]:
        async with session.post(url, json=request) as response:
            body = await response.read()
            if response.status != 200:
                raise RuntimeError(f"{url}: {response.status} {body[:300]!r}")
            json.loads(body)
        return ()

    return send
