"""A command that speaks MCP over its standard streams: started clean, bounded, and ended with all it started.

A transport of our own for the `mcp` package, whose own has no bound for a line, passes part of the server's
environment on, and leaves what a server has started where the server itself ends in time.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import cast

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")  # what a program needs to run, and no secret
GRACE_S = 2.0  # for a server to end after its input has, and once more after SIGTERM
TAIL_BYTES = 2048  # of what it wrote to its standard error that are kept, to say why it ended

Streams = tuple[MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]]


class ServerEndedError(Exception):
    """The server ended, or wrote what cannot be read."""


@asynccontextmanager
async def served(
    command: Sequence[str], environment: Mapping[str, str], *, max_line_bytes: int
) -> AsyncIterator[Streams]:
    """A running server's streams of messages.

    Raises:
        OSError: the command cannot be started.
        ServerEndedError: in an exception group, when the server has ended.
    """
    server = await _started(command, environment, max_line_bytes)
    try:
        incoming, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        write, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
        async with incoming, read, write, outgoing, anyio.create_task_group() as tasks:
            tasks.start_soon(server.tail.fill, server.stderr)
            tasks.start_soon(_receive, server, incoming, max_line_bytes)
            tasks.start_soon(_send, server, outgoing)
            yield read, write
            tasks.cancel_scope.cancel()
    finally:
        await _ended(server)


class _Tail:
    """The end of what the server writes to its standard error, which is read so that it does not stand still."""

    def __init__(self) -> None:
        self._kept = b""

    async def fill(self, stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(TAIL_BYTES):
            self._kept = (self._kept + chunk)[-TAIL_BYTES:]

    def __str__(self) -> str:
        return self._kept.decode(errors="replace").strip()


@dataclass(frozen=True, slots=True)
class _Server:
    process: asyncio.subprocess.Process
    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader
    tail: _Tail


async def _started(command: Sequence[str], environment: Mapping[str, str], max_line_bytes: int) -> _Server:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**inherited, **environment},
        limit=max_line_bytes,
        start_new_session=True,  # a process group of its own, which ends as one
    )
    # Each is there, for each was asked for as a pipe.
    stdin = cast("asyncio.StreamWriter", process.stdin)
    stdout, stderr = cast("asyncio.StreamReader", process.stdout), cast("asyncio.StreamReader", process.stderr)
    return _Server(process, stdin, stdout, stderr, _Tail())


async def _receive(
    server: _Server, incoming: MemoryObjectSendStream[SessionMessage | Exception], max_line_bytes: int
) -> None:
    """One message a line; a line that is none is the session's to pass over."""
    try:
        while line := await server.stdout.readline():
            await incoming.send(_message(line))
    except ValueError as error:  # asyncio's word for a line beyond the limit
        raise ServerEndedError(f"it wrote a message of more than {max_line_bytes} bytes") from error
    await _exits(server.process)  # it closes its output before it ends
    status = server.process.returncode
    words = f": {server.tail}" if str(server.tail) else ""
    raise ServerEndedError(f"it closed its output{words}" if status is None else f"it ended with {status}{words}")


def _message(line: bytes) -> SessionMessage | Exception:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError as error:
        return error


async def _send(server: _Server, outgoing: MemoryObjectReceiveStream[SessionMessage]) -> None:
    with suppress(ConnectionError):  # it is gone, and `_receive` says so
        async for message in outgoing:
            server.stdin.write(message.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
            await server.stdin.drain()


async def _ended(server: _Server) -> None:
    """End the server as the protocol wants it (close its input, SIGTERM, SIGKILL), and then its whole group."""
    server.stdin.close()
    # A server that writes on could not end, nor would asyncio see its end while something is left to be read.
    draining = [asyncio.create_task(_drained(stream)) for stream in (server.stdout, server.stderr)]
    try:
        if not await _exits(server.process):
            _signal_group(server.process, signal.SIGTERM)
            await _exits(server.process)
    finally:
        _signal_group(server.process, signal.SIGKILL)
        await _exits(server.process)  # so that its pipes are closed too
        for task in draining:
            task.cancel()


async def _drained(stream: asyncio.StreamReader) -> None:
    while await stream.read(TAIL_BYTES):
        pass


async def _exits(process: asyncio.subprocess.Process) -> bool:
    try:
        async with asyncio.timeout(GRACE_S):
            await process.wait()
    except TimeoutError:
        return False
    return True


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # no one is left in it, or no one of ours
        os.killpg(process.pid, number)
