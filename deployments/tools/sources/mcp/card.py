"""The tools of an MCP server as they are listed here."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mcp_types import Tool

from autoglm.contract.tool import ToolCard
from deployments.tools.sources.listing import MAX_DESCRIPTION, check_schema, cut, tool_name

MAX_SHOWN = 100  # characters of a name that is not offered

Cards = dict[str, tuple[ToolCard, str]]  # the card and the server's own name, by the name here


def cards(source: str, tools: Iterable[Tool], wanted: Collection[str] | None) -> tuple[Cards, tuple[str, ...]]:
    """The tools, and why others are none: a tool whose schema cannot be borne is left out."""
    found: Cards = {}
    faults: list[str] = []
    for tool in tools:
        if wanted is not None and tool.name not in wanted:
            continue
        name = tool_name(source, tool.name, found)
        try:
            found[name] = (_card(source, name, tool), tool.name)
        except ValueError as error:
            faults.append(f"{cut(tool.name, MAX_SHOWN)} is not offered: {error}")
    return found, tuple(faults)


def _card(source: str, name: str, tool: Tool) -> ToolCard:
    check_schema(tool.input_schema)
    if tool.output_schema is not None:
        check_schema(tool.output_schema)
    hints = tool.annotations
    return ToolCard(
        name=name,
        description=cut(tool.description or tool.title or "", MAX_DESCRIPTION),
        parameters=tool.input_schema,
        returns=tool.output_schema,
        source=source,
        idempotent=bool(hints and (hints.read_only_hint or hints.idempotent_hint)),
    )
