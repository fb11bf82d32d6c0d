"""One session with an MCP server: how it is reached, and what it lists."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx2
from mcp import Client, MCPError
from mcp.client import IncomingMessage, Transport
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import SubscriptionLost
from mcp_types import Implementation, Tool, ToolListChangedNotification
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from autoglm import __version__
from deployments.tools.net.client import guarded_client
from deployments.tools.net.credential import EXTENSION, Credential
from deployments.tools.secrets import Secrets
from deployments.tools.sources.listing import MAX_TOOLS
from deployments.tools.sources.mcp.process import served
from deployments.tools.sources.mcp_config import McpConfig

logger = logging.getLogger("ray.serve")

CLIENT = Implementation(name="open-autoglm", version=__version__)
LISTEN_AGAIN_S = 5.0  # after a subscription has ended, as those through proxies do
ListTools = Callable[[Client], Awaitable[None]]


@asynccontextmanager
async def connected(config: McpConfig, secrets: Secrets, changes: asyncio.Event) -> AsyncIterator[Client]:
    """A client whose session is open; `changes` is set whenever the server says that its tools changed.

    Raises:
        ConfigError: a secret is missing.
        Exception: of any kind, and in a group, when the session cannot be had or has ended; the body is cancelled.
    """

    async def heard(message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification):
            changes.set()

    async with (
        _transport(config, secrets) as transport,
        Client(transport, message_handler=heard, client_info=CLIENT, cache=None) as client,
    ):
        yield client


@asynccontextmanager
async def _transport(config: McpConfig, secrets: Secrets) -> AsyncIterator[Transport]:
    """The transport, not yet entered."""
    if (endpoint := config.endpoint) is not None:
        async with _http(config, endpoint, secrets) as http:
            yield streamable_http_client(str(endpoint), http_client=http, max_sse_event_size=config.max_response_bytes)
        return
    environment = {
        name: value if isinstance(value, str) else await secrets.value(value) for name, value in config.env.items()
    }
    yield served(config.command or (), environment, max_line_bytes=config.max_response_bytes)


@asynccontextmanager
async def _http(config: McpConfig, endpoint: httpx2.URL, secrets: Secrets) -> AsyncIterator[httpx2.AsyncClient]:
    """The guarded client, each of whose requests bears the credential of the moment."""

    async def signed(request: httpx2.Request) -> None:
        request.extensions[EXTENSION] = await credential(config, endpoint, secrets)

    await credential(config, endpoint, secrets)  # what is missing is said now
    async with guarded_client(config, [endpoint], event_streams=True) as client:
        client.event_hooks = {"request": [signed]}
        yield client


async def credential(config: McpConfig, endpoint: httpx2.URL, secrets: Secrets) -> Credential:
    """The header fields that the config declares.

    Raises:
        ConfigError: a secret is missing.
    """
    fields = [(name, await secrets.value(reference)) for name, reference in config.headers.items()]
    if config.bearer is not None:
        fields.append(("authorization", f"Bearer {await secrets.value(config.bearer)}"))
    return Credential(endpoint, headers=tuple(fields))


async def listed(client: Client) -> list[Tool]:
    """Every page of the listing, up to MAX_TOOLS tools."""
    tools: list[Tool] = []
    cursor: str | None = None
    while len(tools) < MAX_TOOLS:
        page = await client.list_tools(cursor=cursor, cache_mode="bypass")
        tools.extend(page.tools)
        cursor = page.next_cursor
        if cursor is None or not page.tools:
            break
    return tools[:MAX_TOOLS]


async def followed(client: Client, changes: asyncio.Event, refresh: ListTools) -> None:
    """Have the listing refreshed at each change, until cancelled.

    Servers of the protocol from 2026-07-28 tell of changes to a subscription, older ones on the connection itself.
    """
    async with asyncio.TaskGroup() as tasks:
        if client.protocol_version in MODERN_PROTOCOL_VERSIONS:
            tasks.create_task(_subscribed(client, changes))
        while True:
            await changes.wait()
            changes.clear()
            await refresh(client)


async def _subscribed(client: Client, changes: asyncio.Event) -> None:
    """Keep a subscription open; what changed while there was none is found by listing anew at its beginning."""
    while True:
        try:
            async with client.listen(tools_list_changed=True) as events:
                changes.set()
                async for _ in events:
                    changes.set()
        except SubscriptionLost as error:
            logger.info("an MCP server's subscription ended: %s", error)
        except MCPError as error:
            logger.info("an MCP server tells of no changes: %s", error)
            return
        await asyncio.sleep(LISTEN_AGAIN_S)
