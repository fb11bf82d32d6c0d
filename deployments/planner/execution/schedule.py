"""Which steps of a plan may begin, which are skipped, and which never can run."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Literal

from autoglm.contract.plan import Step
from deployments.planner.graph import Graph

End = Literal["succeeded", "skipped", "failed"]


class Schedule:
    """Steps in an order that their dependencies allow, and else in the plan's.

    A step is skipped where it needs the result of one that was skipped; one that only names it in `after` is not. What
    waits for a failed step in any way, by `after` too, is `blocked`: what was to happen first has not happened.
    The steps that have `ended` are not given out. Each step and each edge is looked at once.
    """

    def __init__(self, steps: Sequence[Step], graph: Graph, ended: Mapping[str, End]) -> None:
        self._graph = graph
        self._ended: dict[str, End] = dict(ended)
        self._steps = {step.id: step for step in steps}
        self._sorter = graph.order(done=ended)
        self._ready = deque(self._sorter.get_ready())
        self.blocked: dict[str, str] = {}  # and the step that it waits for

    def take(self) -> Step | None:
        """The next step that may begin or is skipped; None where there is none before another ends."""
        while self._ready:
            step = self._steps[self._ready.popleft()]
            failed = [one for one in self._graph.dependencies[step.id] if self._ended[one] == "failed"]
            if not failed:
                return step
            self.blocked[step.id] = min(failed)
            self.end(step.id, "failed")
        return None

    def is_skipped(self, step: Step) -> bool:
        """Whether something that it needs was skipped."""
        return any(self._ended[one] == "skipped" for one in self._graph.needs[step.id])

    def end(self, step: str, end: End) -> None:
        """What became of a step that was taken."""
        self._ended[step] = end
        self._sorter.done(step)
        self._ready.extend(self._sorter.get_ready())
