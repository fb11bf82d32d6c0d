"""A server that fails by plan: a plain socket server, so that it can break HTTP where it likes.

It answers `/v1/predict`, `/v1/chat/completions`, `/v1/tasks` and a run's events, does each piece of work once for an
idempotency key (a repeated key gets the first one's answer) and counts what it does.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Self

from autoglm import errors

Plan = Callable[[str, int], str | None]  # of a call's name and its attempt (from 1): the fault, None for an answer


@dataclass(frozen=True)
class Fault:
    """What the client makes of it, and whether it tries again: always, for idempotent calls only, or never."""

    error: type[errors.AutoGLMError] | None
    retried: str


FAULTS = {
    "hang up": Fault(errors.APIConnectionError, "always"),
    "reset": Fault(errors.APIConnectionError, "always"),
    "429 seconds": Fault(errors.RateLimitError, "always"),
    "429 date": Fault(errors.RateLimitError, "always"),
    "502": Fault(errors.UpstreamError, "always"),
    "503": Fault(errors.UnavailableError, "always"),
    "504": Fault(errors.DeadlineExceededError, "always"),
    "500": Fault(errors.InternalServerError, "idempotent"),
    "stall": Fault(errors.APITimeoutError, "idempotent"),
    "stall in body": Fault(errors.APITimeoutError, "never"),
    "truncated": Fault(errors.APIConnectionError, "never"),
    "wrong json": Fault(errors.APIConnectionError, "never"),
    "400": Fault(errors.BadRequestError, "never"),
    "drip": Fault(None, "never"),
}
RUN_ID = f"run_{'0' * 32}"
EVENTS = 6  # of each run
_SLOW = {"stall", "stall in body"}  # each costs a time-out, so that a random plan has few of them


def random_plan(seed: int, share: float) -> Plan:
    """The same faults for the same calls, in whatever order they come; `share` is the probability of one."""

    def plan(name: str, attempt: int) -> str | None:
        draw = random.Random(f"{seed}/{name}/{attempt}")
        if draw.random() >= share:
            return None
        return draw.choices(list(FAULTS), [1 if fault in _SLOW else 5 for fault in FAULTS])[0]

    return plan


def outcome(plan: Plan, name: str, attempts: int) -> type[errors.AutoGLMError] | None:
    """What an idempotent call must end in, None for its answer."""
    error = None
    for attempt in range(1, attempts + 1):
        fault = FAULTS.get(plan(name, attempt) or "")
        error = fault.error if fault else None
        if fault is None or fault.retried == "never":
            break
    return error


@dataclass
class Request:
    """One request as it was read."""

    path: str
    headers: dict[str, str]
    payload: dict[str, Any]

    @property
    def key(self) -> str:
        return self.headers["idempotency-key"]

    @property
    def name(self) -> str:
        """What tells the calls of a test apart: the first input, the last message, the instruction, or the path."""
        if "inputs" in self.payload:
            return str(self.payload["inputs"][0])
        if "messages" in self.payload:
            return str(self.payload["messages"][-1]["content"])
        return str(self.payload.get("instruction", self.path))


@dataclass
class FaultyServer:
    """Runs in a thread of its own, in a `with` block. `executed` and `requests` are to be read after the calls."""

    plan: Plan
    requests: list[Request] = field(default_factory=list)
    executed: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._answers: dict[str, bytes] = {}
        self._attempts: Counter[str] = Counter()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._started = threading.Event()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def attempts(self, name: str) -> int:
        """How often this call was sent."""
        return self._attempts[name]

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, sock=self._listener)
        self._started.set()
        await self._over.wait()
        server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while await self._answer(await _read(reader), reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client hung up, or the test is over
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _answer(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection can be used again."""
        self.requests.append(request)
        self._attempts[request.name] += 1
        fault = self.plan(request.name, self._attempts[request.name])
        if fault == "hang up":
            return False
        if fault is not None and fault[0].isdigit():
            writer.write(_refusal(fault))
            await writer.drain()
            return True
        return await self._work(fault, request, reader, writer)

    async def _work(
        self, fault: str | None, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        body = self._execute(request)
        if fault == "reset":
            _reset_on_close(writer)
            return False
        if fault == "stall":
            await reader.read()  # until the client gives up
            return False
        if fault == "wrong json":
            body = b"<html>another server</html>"
        whole = _head(200, len(body), _media_type(request)) + body
        end = len(whole) if fault in (None, "drip", "wrong json") else len(whole) - len(body) // 2
        await _write(writer, whole[:end], slowly=fault == "drip")
        if fault == "stall in body":
            await reader.read()
        return end == len(whole)

    def _execute(self, request: Request) -> bytes:
        if "idempotency-key" not in request.headers:
            return _answer_body(request)
        if request.key not in self._answers:
            self.executed[request.name] += 1
            self._answers[request.key] = _answer_body(request)
        return self._answers[request.key]


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    start, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(start.split(" ")[1], headers, json.loads(body or b"{}"))


async def _write(writer: asyncio.StreamWriter, data: bytes, *, slowly: bool) -> None:
    step = 16 if slowly else len(data)
    for first in range(0, len(data), step):
        writer.write(data[first : first + step])
        await writer.drain()
        if slowly:
            await asyncio.sleep(0.001)  # what is tested is a body in many pieces


def _reset_on_close(writer: asyncio.StreamWriter) -> None:
    """Lets the close send RST: with a linger time of 0."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _media_type(request: Request) -> str:
    is_stream = request.payload.get("stream") or request.path.endswith("/events")
    return "text/event-stream" if is_stream else "application/json"


def _head(status: int, length: int, media_type: str = "application/json", *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"content-type: {media_type}", f"content-length: {length}", *more, "", ""]
    return "\r\n".join(lines).encode()


def _refusal(fault: str) -> bytes:
    status = int(fault[:3])
    body = json.dumps({"error": {"message": f"{fault}, as planned"}}).encode()
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    asked = {"429 seconds": "1", "429 date": soon, "503": "2"}.get(fault)
    return _head(status, len(body), "application/json", *([f"retry-after: {asked}"] if asked else [])) + body


def _answer_body(request: Request) -> bytes:
    if request.path.startswith("/v1/tasks"):
        return _run_body(request)
    if "inputs" in request.payload:
        found = [{"label": f"label of {name}", "score": 1.0} for name in request.payload["inputs"]]
        return json.dumps({"task": "t", "model": "m", "version": "v1", "predictions": found}).encode()
    if request.payload.get("stream"):
        chunks = [{"choices": [{"delta": {"content": f"{part} of {request.name} "}}]} for part in ("first", "second")]
        return b"".join(b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks) + b"data: [DONE]\n\n"
    return json.dumps({"choices": [{"message": {"content": f"answer to {request.name}"}}]}).encode()


def _run_body(request: Request) -> bytes:
    """A run as it ended, or what it did after the event that the caller had last."""
    run = {"id": RUN_ID, "instruction": "x", "status": "succeeded", "answer": f"answer to {request.name}"}
    run["created"] = "2026-03-01T00:00:00Z"
    if _media_type(request) == "application/json":
        return json.dumps(run).encode()
    pieces = [{"type": "token", "text": f"word {number}"} for number in range(1, EVENTS)]
    events = [{"seq": seq, **event} for seq, event in enumerate([*pieces, {"type": "answer", "run": run}], start=1)]
    return b"".join(_event(event) for event in events[int(request.headers.get("last-event-id", 0)) :])


def _event(event: dict[str, Any]) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event["seq"], event["type"].encode(), json.dumps(event).encode())
