"""The tools of an MCP server, kept as the server now has them.

The session lives in one task, which enters and leaves it; calls come from others. When the session ends, by the
server's death or the network's, the calls under way fail at once, the listing is empty and says why, and a new session
is begun after a pause that doubles from failure to failure.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import httpx2
from mcp import Client, MCPError
from mcp_types import RequestParamsMeta
from pydantic import ValidationError

from autoglm.contract.tool import ToolCard
from autoglm.errors import AutoGLMError, ConfigError, DeadlineExceededError, UnavailableError, UpstreamError
from deployments.tools.secrets import Secrets
from deployments.tools.sources.listing import cut
from deployments.tools.sources.mcp.card import Cards, cards
from deployments.tools.sources.mcp.result import text_of, told, value_of
from deployments.tools.sources.mcp.session import connected, followed, listed
from deployments.tools.sources.mcp_config import McpConfig

logger = logging.getLogger("ray.serve")

START_S = 60.0  # a server that a package runner fetches first takes long
STEADY_S = 60.0  # a session that held so long counts as no failure
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
KEY = "open-autoglm/idempotency-key"  # in a request's `_meta`, where the specification puts what it does not define


def backoff_s(failures: int) -> float:
    """How long to wait before the next session, after so many that failed."""
    return min(FIRST_PAUSE_S * 2.0 ** (min(failures, 20) - 1), LONGEST_PAUSE_S)


class McpSource:
    """A `Source` over an MCP server. Arguments, results and their schemas are the server's own."""

    def __init__(
        self,
        name: str,
        config: McpConfig,
        *,
        secrets: Secrets | None = None,
        pause_s: Callable[[int], float] = backoff_s,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._config = config
        self._secrets = secrets or Secrets()
        self._pause_s = pause_s
        self._clock = clock
        self._client: Client | None = None
        self._tools: Cards = {}
        self._faults: tuple[str, ...] = ()
        self._changed: Callable[[], None] = lambda: None
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False

    async def open(self, changed: Callable[[], None]) -> None:
        """Begin a session and list its tools; later ones are begun without being asked.

        Raises:
            ConfigError: a secret is missing.
            UpstreamError: the server cannot be started or reached, or does not speak MCP.
        """
        self._changed = changed
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(ready), name=f"mcp-{self._name}")
        self._task.add_done_callback(lambda _: self._abandon(ready))
        try:
            await ready
        except BaseException:
            await self.close()
            raise

    def tools(self) -> Sequence[ToolCard]:
        """What the server lists, as far as it is wanted."""
        return [card for card, _ in self._tools.values()]

    def faults(self) -> Sequence[str]:
        """The tools whose schemas cannot be borne, or why there is no session."""
        return self._faults

    async def call(self, tool: str, arguments: dict[str, Any], *, key: str, timeout_s: float) -> Any:
        """One call; to cancel it, or to let its time pass, tells the server to stop.

        Raises:
            UpstreamError: the tool failed, or answered what its own schema forbids.
            UnavailableError: there is no session now, or it ended during the call.
            UnprocessableEntityError: the server refused the arguments.
            DeadlineExceededError: no answer came in time.
        """
        client, listed = self._client, self._tools.get(tool)
        if client is None or listed is None:
            raise UnavailableError(f"{tool}: the MCP server {self._name} is away")
        try:
            async with asyncio.timeout(timeout_s):
                result = await client.call_tool(listed[1], arguments, meta=cast("RequestParamsMeta", {KEY: key}))
        except TimeoutError as error:
            raise DeadlineExceededError(f"{tool} did not answer in {timeout_s:g} s") from error
        except MCPError as error:
            raise told(tool, self._redacted(error)) from None
        except (ValidationError, RuntimeError) as error:  # the package's words for an answer that does not conform
            raise UpstreamError(f"{tool}: {self._words(error)}") from None
        if result.is_error:
            raise UpstreamError(f"{tool}: {cut(self._secrets.redacted(text_of(result)))}")
        return value_of(result)

    async def close(self) -> None:
        """End the session and the server's process group."""
        self._is_closing = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _run(self, ready: asyncio.Future[None]) -> None:
        failures = 0
        while True:
            began = self._clock()
            try:
                await self._live(ready)
            except Exception as fault:  # a transport may end with anything, alone or in groups
                error = self._told(fault)
                self._take({}, (error.message,))
            finally:
                self._client = None
            if self._is_closing:  # the cancellation met the session's own end, and was lost in that
                return
            if not ready.done():
                ready.set_exception(error)
                return
            failures = 1 if self._clock() - began >= STEADY_S else failures + 1
            logger.warning("%s; a new session is begun in %g s", error.message, self._pause_s(failures))
            await asyncio.sleep(self._pause_s(failures))

    async def _live(self, ready: asyncio.Future[None]) -> None:
        """One session, from its beginning until it fails."""
        changes = asyncio.Event()
        async with asyncio.timeout(START_S) as starting, connected(self._config, self._secrets, changes) as client:
            await self._refresh(client)
            self._client = client
            starting.reschedule(None)
            if not ready.done():
                ready.set_result(None)
            await followed(client, changes, self._refresh)

    async def _refresh(self, client: Client) -> None:
        self._take(*cards(self._name, await listed(client), self._config.tools))

    def _take(self, tools: Cards, faults: tuple[str, ...]) -> None:
        if (tools, faults) != (self._tools, self._faults):
            self._tools, self._faults = tools, faults
            self._changed()

    def _abandon(self, ready: asyncio.Future[None]) -> None:
        """No one is left who would answer whoever still waits in `open`."""
        if not ready.done():
            ready.set_exception(UnavailableError(f"the MCP server {self._name} was closed while it was being opened"))

    def _told(self, fault: Exception) -> AutoGLMError:
        """Why a session failed: the first cause in a group that says something."""
        first = next(_leaves(fault))
        if isinstance(first, ConfigError):
            return first
        return UpstreamError(f"the MCP server {self._name}: {self._words(first)}")

    def _words(self, error: Exception) -> str:
        return cut(self._secrets.redacted(str(error) or type(error).__name__))

    def _redacted(self, error: MCPError) -> MCPError:
        return MCPError(error.code, self._secrets.redacted(error.message))


def _leaves(fault: Exception) -> Iterator[Exception]:
    """The exceptions in a group of groups, those that carry a reason of their own first."""
    found, pending = [], [fault]
    while pending:
        error = pending.pop()
        if isinstance(error, ExceptionGroup):
            pending.extend(error.exceptions)
        else:
            found.append(error)
    yield from sorted(found, key=lambda error: isinstance(error, MCPError | httpx2.StreamError))
