"""A job with a fake application, run as a process that kills itself at a chosen step: INPUT OUTPUT STEP.

A step is a call of the model, an fsync or a rename. Prints the steps taken and the first input that was predicted.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autoglm.errors import UnprocessableEntityError
from cluster.jobs.predict import Options, run


class Steps:
    """Counts the steps; the process does not survive the beginning of step `last`."""

    def __init__(self, last: int) -> None:
        self.taken = 0
        self._last = last

    def take(self) -> None:
        self.taken += 1
        if self.taken == self._last:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*args: Any) -> Any:
            self.take()
            return function(*args)

        return stepped


def main(source: str, output: str, last: str) -> None:
    steps = Steps(int(last))
    os.fsync, os.replace = steps.before(os.fsync), steps.before(os.replace)
    first: list[Any] = []

    async def predict(task: str, inputs: list[str]) -> dict[str, Any]:
        steps.take()
        first.extend(inputs[: not first])
        await turns(len(inputs[0]) + steps.taken % 3)
        for index, text in enumerate(inputs):
            if "refuse" in text:
                raise UnprocessableEntityError(f"inputs[{index}]: refused", param=f"inputs[{index}]")
        return {"predictions": [{"label": text[::-1], "score": 0.5} for text in inputs]}

    options = Options("t", Path(source), Path(output), concurrency=4, batch_size=16)
    asyncio.run(run(options, predict, lambda state: None))
    print(json.dumps({"steps": steps.taken, "first": first}))


async def turns(count: int) -> None:
    """Let the other calls go on, so that calls do not end in the order in which they began."""
    for _ in range(count):
        await asyncio.sleep(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
