"""Where tools come from: a Python callable, an MCP server, an OpenAPI document, or this system's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from autoglm.contract.tool import ToolCard


class Source(Protocol):
    """One entry under `tools:`. It is opened once, and closed when its entry is removed or changed."""

    async def open(self, changed: Callable[[], None]) -> None:
        """Load it; `changed` is called whenever its listing has become another.

        Raises:
            ConfigError: it cannot be loaded as declared.
            UpstreamError: what it comes from does not answer.
        """
        ...

    def tools(self) -> Sequence[ToolCard]:
        """The listing now, under full names: the entry's, or `ENTRY.TOOL`; empty while what it comes from is away."""
        ...

    def faults(self) -> Sequence[str]:
        """What of it is not in the listing, each with the reason; that all of it is away, too."""
        ...

    async def call(self, tool: str, arguments: dict[str, Any], *, key: str, timeout_s: float) -> Any:
        """A tool's result as a JSON value; the arguments fit its schema, and `tool` is a name of the listing.

        Cancelling the call ends what it started.

        Raises:
            UpstreamError: the tool failed; the message is its own, cut.
            UnavailableError: what it comes from is away.
            UnprocessableEntityError: the tool itself refused the arguments.
        """
        ...

    async def close(self) -> None:
        """End it, with everything that it started."""
        ...
