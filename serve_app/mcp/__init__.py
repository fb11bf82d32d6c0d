"""The cluster as an MCP server (Model Context Protocol): its tools, tasks and models for any MCP client."""

from serve_app.mcp.endpoint import MAX_BODY_BYTES, PATH, McpEndpoint
from serve_app.mcp.surface import Surface

__all__ = ["MAX_BODY_BYTES", "PATH", "McpEndpoint", "Surface"]
