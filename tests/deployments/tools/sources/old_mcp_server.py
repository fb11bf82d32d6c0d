"""An MCP server of the protocol's first generations, by hand: it knows `initialize` and tells changes unasked."""

from __future__ import annotations

import json
import sys
from typing import Any

tools = ["first"]


def send(message: dict[str, Any]) -> None:
    """One message a line."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def answered(method: str) -> dict[str, Any] | None:
    """The result of a request; None where the method is not known."""
    if method == "initialize":
        capabilities = {"tools": {"listChanged": True}}
        return {
            "protocolVersion": "2025-06-18",
            "capabilities": capabilities,
            "serverInfo": {"name": "o", "version": "1"},
        }
    if method == "tools/list":
        return {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in tools]}
    if method == "tools/call":
        tools.append("second")
        send({"method": "notifications/tools/list_changed"})
        return {"content": [{"type": "text", "text": "done"}]}
    return None


def main() -> None:
    """Answer until the input ends."""
    sys.stdout.write("this line is no message\n")
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        result = answered(message["method"])
        error = {"code": -32601, "message": "Method not found"}
        send({"id": message["id"], **({"error": error} if result is None else {"result": result})})


main()
