"""A run drawn as it goes: a table that changes in a terminal, a line for each change elsewhere."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from autoglm.contract import Plan, RunEvent, StepRun

SHOWN = 60  # characters of a result that a step's line shows
STYLES = {
    "waiting": "yellow",
    "running": "blue",
    "succeeded": "green",
    "failed": "red",
    "skipped": "dim",
    "cancelled": "dim",
}


class Watch:
    """Takes a run's events, in a `with` block; draws on stderr, so that stdout has the answer alone."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, soft_wrap=True)
        self._steps: dict[str, StepRun] = {}
        self._live = Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, event: RunEvent) -> None:
        """Draws what an event changes."""
        if event.plan is not None:
            self._steps = planned(event.plan, self._steps)
        if event.step is not None:
            self._steps[event.step.id] = event.step
        if self._live is not None:
            self._live.update(drawn(list(self._steps.values())), refresh=True)
        elif line := told(event):
            self._console.print(Text(line))


def planned(plan: Plan, known: dict[str, StepRun]) -> dict[str, StepRun]:
    """The steps of a plan in its order; one that has begun under the plan before stays as it is."""
    begun = {id: step for id, step in known.items() if step.status != "pending"}
    return begun | {
        step.id: begun.get(step.id, StepRun(id=step.id, kind=step.kind, name=step.name)) for step in plan.steps
    }


def drawn(steps: list[StepRun]) -> Table:
    """The steps as they stand."""
    table = Table("step", "what", "state", "time", "result")
    for step in steps:
        state = Text(step.status, STYLES.get(step.status, ""))
        table.add_row(Text(step.id), Text(f"{step.kind} {step.name}"), state, Text(lasted(step)), Text(result(step)))
    return table


def told(event: RunEvent) -> str:
    """An event in a line; none for those that add a piece to an output or to the answer."""
    if event.type == "plan" and event.plan is not None:
        return f"plan: {', '.join(f'{step.id} ({step.kind} {step.name})' for step in event.plan.steps)}"
    if event.type in ("step_started", "step_finished") and event.step is not None:
        step = event.step
        time = f" in {lasted(step)}" if lasted(step) else ""
        outcome = f": {result(step)}" if result(step) else ""
        return f"{step.id}: {step.kind} {step.name} {step.status}{time}{outcome}"
    return ""


def lasted(step: StepRun) -> str:
    """How long it took; empty while it runs."""
    if step.started is None or step.finished is None:
        return ""
    return f"{(step.finished - step.started).total_seconds():.2f} s"


def result(step: StepRun) -> str:
    """The beginning of what it gave, or what it failed with."""
    if step.error is not None:
        return preview(step.error.message)
    return "" if step.result is None else preview(step.result)


def preview(value: Any) -> str:
    """One line, cut, with nothing in it that a terminal obeys: a tool's output is anybody's text."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = "".join(letter if letter.isprintable() else " " for letter in text[: SHOWN + 1])
    return line if len(line) <= SHOWN else line[:SHOWN] + "…"
