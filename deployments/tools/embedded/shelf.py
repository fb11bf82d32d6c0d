"""The embedded tools by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from autoglm.function_tool import FunctionTool
from deployments.clock import Clock
from deployments.tools.embedded.add_to_date import add_to_date
from deployments.tools.embedded.calculate import calculate
from deployments.tools.embedded.convert_time import conversion_tool
from deployments.tools.embedded.convert_unit import convert_unit
from deployments.tools.embedded.current_time import clock_tool
from deployments.tools.embedded.days_between import days_between
from deployments.tools.embedded.names import EmbeddedName
from deployments.tools.embedded.query_json import query_json
from deployments.tools.embedded.search_documents import search_tool
from deployments.tools.embedded.share_of import share_of
from deployments.tools.embedded.text_statistics import text_statistics

Function = Callable[..., Any]
PLAIN: dict[EmbeddedName, Function] = {
    "add_to_date": add_to_date,
    "calculate": calculate,
    "convert_unit": convert_unit,
    "days_between": days_between,
    "query_json": query_json,
    "share_of": share_of,
    "text_statistics": text_statistics,
}
BY_CLOCK: dict[EmbeddedName, Callable[[Clock], Function]] = {
    "convert_time": conversion_tool,
    "current_time": clock_tool,
}


def embedded_tools(entry: str, name: EmbeddedName, folder: Path | None, clock: Clock) -> dict[str, FunctionTool]:
    """The tool under its entry's name; none for `search_documents` without a folder.

    Raises:
        ConfigError: the folder is none.
    """
    if name == "search_documents":
        return {} if folder is None else {entry: FunctionTool(search_tool(folder))}
    function = PLAIN[name] if name in PLAIN else BY_CLOCK[name](clock)
    return {entry: FunctionTool(function)}
