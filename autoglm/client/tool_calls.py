"""The calls of `/v1/tools`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoglm.client.admin_calls import segment
from autoglm.client.calls import reads
from autoglm.client.exchange import Call
from autoglm.contract.tool import ToolList, ToolResult

PATH = "/v1/tools"


def tools() -> Call[ToolList]:
    """Those that the caller may use."""
    return Call("GET", PATH, reads(ToolList), idempotent=True)


def call(name: str, arguments: Mapping[str, Any]) -> Call[ToolResult]:
    """One call; its idempotency key lets it take effect once, however often it is sent."""
    return Call("POST", f"{PATH}/{segment(name)}", reads(ToolResult), {"arguments": dict(arguments)})
