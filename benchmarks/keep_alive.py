"""A closed loop of clients that costs the machine as little as can be: it shares the cores with what it measures.

Requests are bytes built beforehand, written to bare sockets that are kept; of an answer only status and length are
looked at.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from benchmarks.load import Run, Stream

HEAD = (
    "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{more}\r\n"
)
OK = b"HTTP/1.1 200"
LAST_CHUNK = b"0\r\n\r\n"


def posts(url: str, bodies: Sequence[Any], headers: dict[str, str]) -> list[bytes]:
    """A request for each body, as it goes over the wire."""
    parts = urlsplit(url)
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    requests = []
    for body in bodies:
        content = json.dumps(body).encode()
        head = HEAD.format(path=parts.path, host=parts.netloc, length=len(content), more=more)
        requests.append(head.encode() + content)
    return requests


def closed_loop(url: str, requests: Sequence[bytes], clients: int) -> Run:
    """Every request once, `clients` at a time, in order of the list.

    Raises:
        RuntimeError: an answer is no 200.
        OSError: the server takes no connection.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_closed_loop(url, requests, clients))


async def _closed_loop(url: str, requests: Sequence[bytes], clients: int) -> Run:
    pending = iter(requests)
    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_client(url, pending)) for _ in range(clients)]
    wall = time.perf_counter() - start
    return Run(wall, [stream for task in tasks for stream in task.result()])


async def _client(url: str, pending: Iterator[bytes]) -> list[Stream]:
    streams = []
    connection = await _connected(url)
    try:
        for request in pending:
            sent = time.perf_counter()
            while not await connection.exchange(request):
                # A kept connection may end at any time (RFC 9112, 9.3.1): HAProxy ends all when servers come or go.
                connection = await _connected(url)
            streams.append(Stream(sent, time.perf_counter()))
    finally:
        connection.close()
    return streams


async def _connected(url: str) -> Connection:
    parts = urlsplit(url)
    _, connection = await asyncio.get_running_loop().create_connection(
        Connection, str(parts.hostname), parts.port or 80
    )
    return connection


class Connection(asyncio.Protocol):
    """One exchange after the other on a kept connection."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[bool] | None = None
        self._is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast(asyncio.Transport, transport)

    async def exchange(self, request: bytes) -> bool:
        """Whether an answer came; False where the connection ended before.

        Raises:
            RuntimeError: the answer is no 200.
        """
        if not self._is_open:
            return False
        self._received = b""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """End it."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop with what came of an answer."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or not is_whole(head, body) or self._answer is None or self._answer.done():
            return
        if head.startswith(OK):
            self._answer.set_result(True)
        else:
            self._answer.set_exception(RuntimeError(f"got {head.decode()!r} {body[:300]!r}"))

    def connection_lost(self, error: Exception | None) -> None:
        """Called by the event loop when the connection has ended."""
        self._is_open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(False)


def is_whole(head: bytes, body: bytes) -> bool:
    """Whether a body is there to its end; that of a stream is the chunk of no bytes (RFC 9112, 7.1)."""
    lines = (line.lower().partition(b":") for line in head.split(b"\r\n"))
    length = next((int(value) for name, _, value in lines if name == b"content-length"), None)
    return body.endswith(LAST_CHUNK) if length is None else len(body) >= length
