"""Python functions in processes of their own: a `python` entry under `tools:` that is `isolated`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from autoglm.contract.tool import ToolCard
from autoglm.errors import ConfigError, DeadlineExceededError, UnavailableError, UpstreamError, error_class
from deployments.tools.isolation.config import IsolationConfig
from deployments.tools.isolation.confinement import check_supported
from deployments.tools.isolation.process import answer

DESCRIPTION_BYTES = 4 * 1024 * 1024  # of all tools of a module together


class IsolatedSource:
    """As PythonSource, a process for each call; this one never imports the module.

    A call starts Python and imports the module: about half a second. The file is read anew each time, and a changed
    signature takes effect when the entry is loaded again.
    """

    def __init__(self, name: str, target: str, config: IsolationConfig, max_result_bytes: int) -> None:
        self._name = name
        self._target = target
        self._limits = config.model_dump()
        self._max_result_bytes = max_result_bytes
        self._tools: dict[str, ToolCard] = {}
        self._timeouts: dict[str, float] = {}

    async def open(self, changed: Callable[[], None]) -> None:
        """Ask a process for the tools of the target."""
        check_supported()
        answered = await self._asked({"tool": None}, DESCRIPTION_BYTES)
        cards = [ToolCard.model_validate(card) for card in answered["tools"]]
        self._timeouts = answered["timeouts"]
        self._tools = {self._name if ":" in self._target else f"{self._name}.{card.name}": card for card in cards}

    def tools(self) -> Sequence[ToolCard]:
        """As `Source` says."""
        return [card.model_copy(update={"name": name, "source": "python"}) for name, card in self._tools.items()]

    def faults(self) -> Sequence[str]:
        """None: functions are all there, or the source is not open."""
        return ()

    async def call(self, tool: str, arguments: dict[str, Any], *, key: str, timeout_s: float) -> Any:
        """As `Source` says; the process is killed when its time is over or the call is cancelled."""
        if tool not in self._tools:
            raise UnavailableError(f"{tool} is not loaded")
        own = self._tools[tool].name
        request = {"tool": own, "arguments": arguments, "key": key}
        seconds = min(timeout_s, self._timeouts.get(own, timeout_s))
        try:
            async with asyncio.timeout(seconds) as limit:
                return (await self._asked(request, self._max_result_bytes))["result"]
        except TimeoutError:
            if not limit.expired():
                raise
            raise DeadlineExceededError(f"{tool} did not return within {seconds:.3g} s; it was killed") from None

    async def close(self) -> None:
        """Nothing is kept between calls."""

    async def _asked(self, request: dict[str, Any], max_bytes: int) -> dict[str, Any]:
        answered = await answer({"target": self._target, "limits": self._limits, **request}, max_bytes)
        if error := answered.get("error"):
            raise raised(error)
        return answered


def raised(error: dict[str, Any]) -> Exception:
    """What the worker says went wrong."""
    if error["code"] == "config":
        return ConfigError(error["message"])
    found = error_class(UpstreamError.status, error["code"])
    return found(error["message"], param=error["param"])
