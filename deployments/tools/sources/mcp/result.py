"""What an MCP server answers, as a tool's result or as an error of the tree."""

from __future__ import annotations

from typing import Any

from mcp import MCPError
from mcp_types import CONNECTION_CLOSED, INVALID_PARAMS, CallToolResult, TextContent

from autoglm.errors import APIStatusError, UnavailableError, UnprocessableEntityError, UpstreamError
from deployments.tools.sources.listing import cut


def value_of(result: CallToolResult) -> Any:
    """The structured content where there is one, else the texts joined by line breaks, else the blocks as JSON."""
    if result.structured_content is not None:
        return result.structured_content
    if all(isinstance(block, TextContent) for block in result.content):
        return text_of(result)
    return [block.model_dump(mode="json", by_alias=True, exclude_none=True) for block in result.content]


def text_of(result: CallToolResult) -> str:
    """The texts alone, joined by line breaks."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def told(tool: str, error: MCPError) -> APIStatusError:
    """An error of the protocol as one of the tree; a connection's end leaves it open whether the call took effect."""
    if error.code == CONNECTION_CLOSED:
        return UnavailableError(f"{tool}: the MCP server went away during the call")
    kind = UnprocessableEntityError if error.code == INVALID_PARAMS else UpstreamError
    return kind(f"{tool}: {cut(error.message)}")
