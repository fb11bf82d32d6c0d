"""A source of functions in this process: the Python ones of an entry, and the embedded ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autoglm.contract.tool import ToolCard
from autoglm.errors import UnavailableError
from autoglm.function_tool import FunctionTool
from deployments.tools.sources.threads import ThreadRunner


class CallableSource:
    """What `load` gives, by the tools' full names. `origin` is what the cards name as the source."""

    def __init__(self, origin: str, load: Callable[[], Mapping[str, FunctionTool]], runner: ThreadRunner) -> None:
        self._origin = origin
        self._load = load
        self._runner = runner
        self._tools: Mapping[str, FunctionTool] = {}

    async def open(self, changed: Callable[[], None]) -> None:
        """Load them in one of the source's own threads: a module may take its time. The listing stays as it is."""
        self._tools = await self._runner.load(self._load)

    def tools(self) -> Sequence[ToolCard]:
        """As `Source` says."""
        return [
            tool.card.model_copy(update={"name": name, "source": self._origin}) for name, tool in self._tools.items()
        ]

    def faults(self) -> Sequence[str]:
        """None: functions are all there, or the source is not open."""
        return ()

    async def call(self, tool: str, arguments: dict[str, Any], *, key: str, timeout_s: float) -> Any:
        """As `Source` says."""
        if tool not in self._tools:
            raise UnavailableError(f"{tool} is not loaded")
        return await self._runner.run(self._tools[tool], arguments, key, timeout_s)

    async def close(self) -> None:
        """As `Source` says; what runs in a thread ends by itself."""
        self._runner.close()
