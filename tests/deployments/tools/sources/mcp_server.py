"""An MCP server for tests: `python mcp_server.py` speaks over its standard streams, with a port over HTTP there."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

KEY = "open-autoglm/idempotency-key"


def late(text: str) -> str:
    """A tool that is there from some time on."""
    return f"late: {text}"


def note(path: str, text: str) -> None:
    """Put a text where the test looks for it."""
    Path(path).write_text(text)


def build() -> MCPServer[Any]:
    """A server with tools of its own; `change` adds one and removes another."""
    server: MCPServer[Any] = MCPServer("test", log_level="ERROR")

    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def add(a: int, b: int) -> int:
        """Two numbers, added."""
        return a + b

    @server.tool(structured_output=False)
    def say(text: str) -> list[str]:
        """Its argument, as two texts."""
        return [text, "and more"]

    @server.tool(structured_output=False)
    def fail(text: str) -> str:
        """Nothing: it fails with its argument."""
        raise ToolError(text)

    @server.tool()
    def environment() -> dict[str, str]:
        """The server's own."""
        return dict(os.environ)

    @server.tool(structured_output=False)
    def key(ctx: Context) -> str:
        """The key of the call."""
        return str((ctx.request_context.meta or {}).get(KEY))

    @server.tool(structured_output=False)
    def child() -> str:
        """Start a process that would outlive the server, and tell its number."""
        away = subprocess.DEVNULL
        return str(subprocess.Popen(["sleep", "600"], stdin=away, stdout=away, stderr=away).pid)

    @server.tool(structured_output=False)
    def large() -> str:
        """More than anyone takes."""
        return "x" * 10_000_000

    @server.tool(structured_output=False)
    async def hang(path: str) -> str:
        """Leave a file with the server's number, wait for ever, and say in it how that ended."""
        note(path, str(os.getpid()))
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            note(path, "cancelled")
            raise
        return ""

    @server.tool(structured_output=False)
    async def wait(path: str, until: str) -> str:
        """Leave a file with the server's number, and return when another file is there."""
        note(path, str(os.getpid()))
        while not os.path.exists(until):  # noqa: ASYNC110, ASYNC240  another process makes it
            await asyncio.sleep(0.05)
        return "waited"

    @server.tool(structured_output=False)
    async def change(ctx: Context) -> str:
        """Another listing from now on."""
        server.add_tool(late)
        server.remove_tool("say")
        await ctx.notify_tools_changed()
        return "changed"

    return server


def application() -> Any:
    """The ASGI application."""
    return build().streamable_http_app()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        uvicorn.run(application(), port=int(sys.argv[1]), log_level="warning", ws="none")
    else:
        build().run("stdio")
