"""The tools of this cluster in one process: which there are, as Serve tells, and calls of them, told to the audit."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from autoglm.contract.grant import Grant
from autoglm.contract.tool import ToolCard
from autoglm.errors import APIStatusError
from deployments.access import Principal
from deployments.router.failures import translated
from deployments.tools.call_log import CallEntry, CallLog
from deployments.tools.config import HostConfig, ToolEntry
from deployments.tools.grants import Asking
from deployments.tools.toolbox import Toolbox
from serve_app.bank import TIMEOUT_S, Reach, unchecked
from serve_app.names import CONTROL_APP, TOOLS_APP, tool_app
from serve_app.reach import answer
from serve_app.standing import named

logger = logging.getLogger("ray.serve")


class ToldTools(BaseModel):
    """What a process that calls tools is told: the file's entries and grants, and what the control plane adds.

    A file that an operator deploys has none of the latter, and so leaves it as it was.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    declared_tools: tuple[dict[str, Any], ...] = ()
    declared_grants: tuple[Grant, ...] = ()
    tools: tuple[dict[str, Any], ...] | None = None
    grants: tuple[Grant, ...] | None = None


class ClusterTools:
    """Implements `serve_app.http.tools.Tools`; runs use its `toolbox`."""

    def __init__(self, reach: Reach = unchecked) -> None:
        self._reach = reach
        self._log = CallLog(self._send)
        self.toolbox = Toolbox(reach, translated, self._log)
        self._tools: tuple[dict[str, Any], ...] = ()
        self._grants: tuple[Grant, ...] = ()
        self._is_behind = False

    def update(self, config: dict[str, Any]) -> None:
        """By a `user_config`; call it on the event loop."""
        told = ToldTools.model_validate(config)
        self._tools = self._tools if told.tools is None else told.tools
        self._grants = self._grants if told.grants is None else told.grants
        entries, _ = HostConfig(declared_tools=told.declared_tools, tools=self._tools).entries()
        self.toolbox.update(hosts(entries), (*told.declared_grants, *self._grants))

    def visible(self, caller: Principal) -> Sequence[ToolCard]:
        """What the caller may use now."""
        return self.toolbox.visible(asking(caller))

    async def call(self, caller: Principal, name: str, arguments: dict[str, Any], *, key: str, timeout_s: float) -> Any:
        """One call in the caller's own name. One that a person must approve is refused: a task waits for that."""
        return await self.toolbox.call(asking(caller), name, arguments, key=key, timeout_s=timeout_s)

    async def tell(self) -> None:
        """Tell the audit which calls were made; to be called each second. What it does not take is told later."""
        try:
            await self._log.tell()
            self._is_behind = False
        except APIStatusError as error:
            if not self._is_behind:
                logger.warning("the audit does not take the calls of tools, which are kept: %s", error.message)
            self._is_behind = True

    async def aclose(self) -> None:
        """Tell the last calls, and follow the hosts no more."""
        await self.tell()
        await self.toolbox.aclose()

    async def _send(self, entries: Sequence[CallEntry], lost: int) -> None:
        sent = self._reach(CONTROL_APP, CONTROL_APP).tool_calls.remote(entries, lost)
        await answer(sent, "the control plane", TIMEOUT_S)


def asking(caller: Principal) -> Asking:
    """The caller as grants are decided for."""
    return Asking(named(caller), caller.scopes)


def hosts(entries: Collection[ToolEntry]) -> list[str]:
    """The applications that host these, the common one first."""
    return sorted({host_of(entry) for entry in entries}, key=lambda app: (app != TOOLS_APP, app))


def host_of(entry: ToolEntry) -> str:
    """The application that hosts an entry."""
    return tool_app(entry.name) if entry.has_own_application else TOOLS_APP
