"""Tools of an MCP server, started here or reached by HTTP."""

from __future__ import annotations

from deployments.tools.sources.mcp.source import McpSource

__all__ = ["McpSource"]
