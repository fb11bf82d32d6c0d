"""How a job shows how far it is: a bar on a terminal, now and then a line in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cluster.jobs.checkpoint import Checkpoint

Report = Callable[[Checkpoint], None]

LINE_EVERY_S = 10.0


@contextmanager
def shown(console: Console, total_bytes: int) -> Iterator[Report]:
    """Something to report to while the job runs; its measure is the bytes of the input, as the rows are not known."""
    if not console.is_terminal:
        yield LineReport(lambda line: console.print(line, highlight=False), total_bytes)
        return
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=total_bytes)
        yield lambda state: bar.update(task, completed=state.position.offset, description=counts(state))


class LineReport:
    """Writes the first report, and then one every ten seconds."""

    def __init__(
        self, write: Callable[[str], None], total_bytes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        self._total_bytes = total_bytes
        self._clock = clock
        self._due = float("-inf")

    def __call__(self, state: Checkpoint) -> None:
        if (now := self._clock()) < self._due:
            return
        self._due = now + LINE_EVERY_S
        self._write(f"{state.position.offset / max(self._total_bytes, 1):4.0%}  {counts(state)}")


def counts(state: Checkpoint) -> str:
    """`1,234 rows, 5 bad`."""
    return f"{state.rows:,} rows, {state.bad:,} bad"
