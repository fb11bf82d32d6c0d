"""The deployment that hosts tools: the application `tools`, or `tool-NAME` of an entry with resources of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from deployments.boundary import plain_errors
from deployments.tools.catalogue import Catalogue
from deployments.tools.config import HostConfig
from deployments.tools.host import Host
from deployments.tools.metrics import Exporter
from deployments.tools.mount import Build
from deployments.tools.sources.factory import build_source

EXPORT_S = 1.0


class ToolHost:
    """A replica. Whoever calls has asked whether the caller may: here nobody is known, and nothing is granted."""

    def __init__(self, build: Build = build_source, exporter: Callable[[], Exporter] = Exporter) -> None:
        self._catalogue = Catalogue(build)
        self._host = Host(self._catalogue)
        self._exporter = exporter
        self._exporting: asyncio.Task[None] | None = None
        # Serve awaits it when the replica stops. As the class's, Python's collector would call it, and await nothing.
        self.__del__ = self.stop

    async def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Called by Serve at the start and whenever `user_config` changes; no restart.

        Sources are opened beside the calls. What is no entry or cannot be opened is a fault in the listing, and keeps
        nothing else from being hosted.
        """
        self._catalogue.update(*HostConfig.model_validate(user_config).entries())
        if self._exporting is None:
            self._exporting = asyncio.create_task(self._export())

    async def listing(self, known_version: int | None = None, wait_s: float = 0.0) -> dict[str, Any]:
        """What is listed, when its version is another than the known one, else after `wait_s`, a minute at most.

        `{"version", "tools": [ToolCard], "faults": {entry: text}, "loading": [entry]}`.
        """
        with plain_errors("the tool host"):
            return (await self._catalogue.changed(known_version, wait_s)).as_dict()

    async def entries(self) -> dict[str, dict[str, Any]]:
        """How each entry fares on this replica, as `Catalogue.states`."""
        return self._catalogue.states()

    async def call(self, tool: str, arguments: dict[str, Any], key: str, timeout_s: float) -> Any:
        """A tool's result, a JSON value; raises as `Host.call`. Cancelling the call ends what it started.

        `key` must tell callers apart: of two that send the same key and arguments, the second gets the first's result.
        """
        with plain_errors(tool):
            return await self._host.call(tool, arguments, key, timeout_s)

    async def stop(self) -> None:
        """End the calls and the sources."""
        if self._exporting is not None:
            self._exporting.cancel()
        await self._host.aclose()

    async def _export(self) -> None:
        exporter = self._exporter()
        while True:
            exporter.export(self._catalogue.offers())
            await asyncio.sleep(EXPORT_S)
