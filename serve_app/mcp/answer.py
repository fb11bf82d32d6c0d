"""What an MCP client gets: a result as text and as JSON, or an error that its model can read and act on."""

from __future__ import annotations

import json
from typing import Any

from mcp_types import CallToolResult, TextContent

from autoglm.errors import APIStatusError, UpstreamError

MAX_RESULT_BYTES = 1024 * 1024  # as JSON; a model's context holds a fraction of it


def answered(result: Any, text: str | None = None) -> CallToolResult:
    """A result; the protocol's structured form is an object, so any other value lies in one as `result`.

    Raises:
        UpstreamError: it is too large.
    """
    structured = result if isinstance(result, dict) else {"result": result}
    written, structured = written_as_json(structured)
    if len(written) > MAX_RESULT_BYTES:
        raise UpstreamError(
            f"result: {len(written):,} bytes, more than the {MAX_RESULT_BYTES:,} that are sent; ask for less of it"
        )
    shown = text if text is not None else result if isinstance(result, str) else written.decode()
    return CallToolResult(content=[TextContent(text=encodable(shown))], structured_content=structured)


def refused(error: APIStatusError) -> CallToolResult:
    """The documented error, as the result of a call that failed."""
    _, body = written_as_json(error.body().model_dump(mode="json"))
    return CallToolResult(content=[TextContent(text=encodable(error.message))], structured_content=body, is_error=True)


def written_as_json(value: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """An object as JSON in UTF-8, and as the package can write it too: a half of a surrogate pair becomes `?`.

    Not by orjson, which stops at such a half, and at whole numbers of more than 64 bits.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode(), value
    except UnicodeEncodeError:
        written = text.encode(errors="replace")
        return written, json.loads(written)


def encodable(text: str) -> str:
    """A text with `?` for each half of a surrogate pair."""
    return text.encode(errors="replace").decode()
