"""What an MCP client gets: a result as text and as JSON, or an error that its model can read and act on."""

from __future__ import annotations

from typing import Any

import orjson
from mcp_types import CallToolResult, TextContent

from autoglm.errors import APIStatusError, UpstreamError

MAX_RESULT_BYTES = 1024 * 1024  # as JSON; a model's context holds a fraction of it


def answered(result: Any, text: str | None = None) -> CallToolResult:
    """A result; the protocol's structured form is an object, so any other value lies in one as `result`.

    Raises:
        UpstreamError: it is too large.
    """
    structured = result if isinstance(result, dict) else {"result": result}
    written = orjson.dumps(structured)
    if len(written) > MAX_RESULT_BYTES:
        raise UpstreamError(
            f"result: {len(written):,} bytes, more than the {MAX_RESULT_BYTES:,} that are sent; ask for less of it"
        )
    shown = text if text is not None else result if isinstance(result, str) else written.decode()
    return CallToolResult(content=[TextContent(text=shown)], structured_content=structured)


def refused(error: APIStatusError) -> CallToolResult:
    """The documented error, as the result of a call that failed."""
    return CallToolResult(
        content=[TextContent(text=error.message)],
        structured_content=error.body().model_dump(mode="json"),
        is_error=True,
    )
