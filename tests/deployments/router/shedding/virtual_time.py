"""An event loop whose time passes only while it waits: hours of traffic in seconds, the same every time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class VirtualSelector(selectors.DefaultSelector):
    """Instead of waiting for input, moves the time on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("every task waits, and no timer is set: the simulation hangs")
        self.now += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time`, and with it every timer and sleep, is the selector's."""

    def __init__(self) -> None:
        self._virtual = VirtualSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def simulate(scenario: Coroutine[Any, Any, Result]) -> Result:
    """Run it to its end in virtual time; what a timer's callback raised meanwhile is raised then."""
    faults: list[BaseException] = []
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: faults.append(context["exception"]))
        result = runner.run(scenario)
    for fault in faults:
        raise fault
    return result
