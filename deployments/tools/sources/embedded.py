"""The tools that come with the system: the `embedded` of an entry under `tools:`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from deployments.clock import Clock, utc_now
from deployments.tools.embedded.names import EmbeddedName
from deployments.tools.embedded.shelf import embedded_tools
from deployments.tools.sources.callables import CallableSource
from deployments.tools.sources.threads import ThreadRunner


class EmbeddedSource(CallableSource):
    """The embedded `tool` under the entry's name; `search_documents` without a folder is none."""

    def __init__(
        self, name: str, tool: EmbeddedName, folder: Path | None, threads: int, clock: Clock = utc_now
    ) -> None:
        super().__init__("embedded", partial(embedded_tools, name, tool, folder, clock), ThreadRunner(name, threads))
