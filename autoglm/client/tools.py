"""The tools that the caller may use, under `client.tools`."""

from __future__ import annotations

from typing import Any

from autoglm.client import tool_calls
from autoglm.client.exchange import AsyncRun, Run
from autoglm.contract.tool import ToolList, ToolResult


class Tools:
    """What can be called, each tool by itself; `client.run` puts several to work."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def list(self) -> ToolList:
        """Those that the credential's scopes and grants allow, by name, with the JSON Schema of their arguments."""
        return self._run(tool_calls.tools())

    def call(self, name: str, /, **arguments: Any) -> ToolResult:
        """One call of one tool; the arguments are JSON values.

        Raises:
            PermissionDeniedError: a scope or a grant is missing; the message says which.
            NotFoundError: there is no such tool.
            UnprocessableEntityError: the arguments do not fit the tool's schema, or the tool refused them.
            UpstreamError: the tool failed.
        """
        return self._run(tool_calls.call(name, arguments))


class AsyncTools:
    """`Tools` for asyncio."""

    def __init__(self, run: AsyncRun) -> None:
        self._run = run

    async def list(self) -> ToolList:
        """As `Tools.list`."""
        return await self._run(tool_calls.tools())

    async def call(self, name: str, /, **arguments: Any) -> ToolResult:
        """As `Tools.call`."""
        return await self._run(tool_calls.call(name, arguments))
