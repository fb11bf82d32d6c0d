"""What the lab's client reads, from a server on the loopback that breaks off where it is told to."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from benchmarks.chaos.subject import MockSubject
from benchmarks.chaos.traffic import Question, Traffic
from benchmarks.chaos.verdict import Verdict
from benchmarks.mock_engine import MockLLM

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
STREAM = HEAD % b"text/event-stream"
ERROR = b'{"error": {"message": "m", "type": "t", "code": "upstream_error", "request_id": "r"}}'


def chunked(*events: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(event), event) for event in events)


def question() -> Question:
    return MockSubject().question(random.Random(1), is_repeated=False)


async def events(asked: Question) -> list[bytes]:
    mock = MockLLM()
    await mock.reconfigure({"token_s": 0})
    return [event.data async for event in mock.stream("chat", asked.request)]


@asynccontextmanager
async def served(*responses: bytes) -> AsyncIterator[Traffic]:
    """Each connection gets the next of these bytes, and is then closed."""
    left = iter(responses)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        await reader.readexactly(int(length.partition(b":")[2]))
        writer.write(next(left))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Traffic(f"http://127.0.0.1:{port}", "key", MockSubject(), 1.0, seed=1) as traffic:
        yield traffic


@pytest.mark.parametrize(
    ("doctored", "verdicts"),
    [
        (lambda events: events, set()),
        (lambda events: events[:3] + events[4:], {Verdict.LOST}),
        (lambda events: events[:4] + events[3:], {Verdict.DOUBLED}),
        (lambda events: [*events, *events[1:]], {Verdict.DOUBLED}),
        (lambda events: events[:-1], {Verdict.LOST}),
        (lambda events: [*events[:3], b"data: %s\n\n" % ERROR], {Verdict.DOCUMENTED}),
        (lambda events: [*events[:3], b'data: {"error": "oops"}\n\n'], {Verdict.LOST, Verdict.UNDOCUMENTED}),
    ],
)
async def test_a_doctored_stream_is_seen_through(
    doctored: Callable[[list[bytes]], list[bytes]], verdicts: set[Verdict]
) -> None:
    """From the bytes on: one event missing, twice, or an error in its place."""
    asked = question()
    async with served(STREAM + chunked(*doctored(await events(asked))) + b"0\r\n\r\n") as traffic:
        assert (await traffic.ask(asked, is_stream=True)).verdicts == verdicts


async def test_a_stream_that_breaks_off_is_cut_and_not_sent_again() -> None:
    """Its client has read a part of it."""
    asked = question()
    async with served(STREAM + chunked(*(await events(asked))[:4])) as traffic:
        exchange = await traffic.ask(asked, is_stream=True)
    assert (exchange.verdicts, exchange.resent) == ({Verdict.CUT}, False)
    assert exchange.reply.text


async def test_a_connection_that_breaks_before_any_byte_is_sent_once_more() -> None:
    """As the SDK does it; a second break is the end of it."""
    asked = question()
    whole = STREAM + chunked(*await events(asked)) + b"0\r\n\r\n"
    async with served(b"", whole) as traffic:
        exchange = await traffic.ask(asked, is_stream=True)
        assert (exchange.verdicts, exchange.resent) == (frozenset(), True)
    async with served(b"", b"", whole) as traffic:
        assert Verdict.CUT in (await traffic.ask(asked, is_stream=True)).verdicts


async def test_a_proxys_own_error_page_is_undocumented() -> None:
    """HAProxy's 503 is no answer of the router's."""
    page = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>"
    async with served(page) as traffic:
        exchange = await traffic.ask(question(), is_stream=False)
    assert exchange.verdicts == {Verdict.UNDOCUMENTED, Verdict.LOST}
