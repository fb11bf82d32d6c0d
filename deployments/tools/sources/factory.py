"""The source of an entry. What a kind of source needs is imported when there is one of it."""

from __future__ import annotations

from autoglm.errors import ConfigError
from deployments.tools.config import ToolEntry
from deployments.tools.source import Source


def build_source(entry: ToolEntry) -> Source:
    """The entry's source, not opened yet."""
    if entry.python is not None:
        return python_source(entry, entry.python)
    if entry.embedded is not None:
        from deployments.tools.sources.embedded import EmbeddedSource

        return EmbeddedSource(entry.name, entry.embedded, entry.folder, entry.max_concurrency)
    if entry.mcp is not None:
        from deployments.tools.sources.mcp import McpSource

        return McpSource(entry.name, entry.mcp)
    if entry.openapi is not None:
        from deployments.tools.sources.openapi import OpenApiSource

        return OpenApiSource(entry.name, entry.openapi)
    raise ConfigError(f"tool {entry.name!r} names no source")


def python_source(entry: ToolEntry, target: str) -> Source:
    """In a process of its own, or in the host's."""
    if entry.isolated is not None:
        from deployments.tools.sources.isolated import IsolatedSource

        return IsolatedSource(entry.name, target, entry.isolated, entry.max_result_bytes)
    from deployments.tools.sources.python import PythonSource

    return PythonSource(entry.name, target, entry.max_concurrency)
