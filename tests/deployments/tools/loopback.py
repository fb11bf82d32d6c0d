"""Servers on loopback, for tests: HTTP as raw as a test wants it, and ASGI applications in uvicorn."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any

import uvicorn

from deployments.tools.net.address import Address

Talk = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


class RawServer:
    """Hands each request's head to `talk`, which writes whatever it likes; `requests` has the heads."""

    def __init__(self, port: int, requests: list[bytes]) -> None:
        self.port = port
        self.requests = requests

    @classmethod
    @asynccontextmanager
    async def running(cls, talk: Talk, ssl_context: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
        """A server on a free port; its connections end with it."""
        requests: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                requests.append(head)
                await talk(head, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass  # the client would have no more of it
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=ssl_context)
        async with server:
            yield cls(server.sockets[0].getsockname()[1], requests)


def answer(body: bytes = b"", status: str = "200 OK", *fields: str) -> Talk:
    """A talk of one response."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *fields])

    async def talk(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(head.encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return talk


class FakeResolver:
    """Answers from a list for each host, one entry a question; the last stays. `questions` has the hosts."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {host.replace("_", "."): list(entries) for host, entries in answers.items()}
        self.questions: list[str] = []

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        self.questions.append(host)
        entries = self._answers[host]
        return [ip_address(text) for text in (entries.pop(0) if len(entries) > 1 else entries[0])]


@asynccontextmanager
async def served(app: Any, port: int = 0) -> AsyncIterator[int]:
    """An ASGI application on a free port, or on this one."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="warning", ws="none", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # the test runner's own stay
    task = asyncio.create_task(server._serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
            if task.done():
                task.result()
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task
