"""Python functions in the host's process: the `python` of an entry under `tools:`."""

from __future__ import annotations

from functools import partial

from deployments.tools.sources.callables import CallableSource
from deployments.tools.sources.functions import named_tools
from deployments.tools.sources.threads import ThreadRunner


class PythonSource(CallableSource):
    """The function of `module:function`, or the marked functions of a module; `threads` of them run at once.

    A module that this process has imported stays as it was then, whatever becomes of its file.
    """

    def __init__(self, name: str, target: str, threads: int) -> None:
        super().__init__("python", partial(named_tools, name, target), ThreadRunner(name, threads))
