"""What keeps a run from going on for ever: each thing that it may do is counted, over all of its plans."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection
from typing import Any, Self

from autoglm.contract.task_run import TaskRun
from autoglm.errors import UnprocessableEntityError
from deployments.planner.execution.config import ExecutionConfig


class Guards:
    """The counters of one run, the first `calls` of whose calls and `replans` of whose new plans were before.

    `max_steps` may be less than the config's, and not more. A run that is gone on with counts retries and same calls
    anew: they are bounded by its calls and its steps, which it counts from its beginning.
    """

    def __init__(self, config: ExecutionConfig, max_steps: int | None = None, calls: int = 0, replans: int = 0) -> None:
        self._config = config
        self._max_steps = min(config.max_steps, max_steps or config.max_steps)
        self._calls = calls
        self._retries_left = config.max_retries
        self._replans_left = max(0, config.max_replans - replans)
        self._same: Counter[bytes] = Counter()  # no longer than max_calls

    @classmethod
    def of(cls, run: TaskRun, config: ExecutionConfig, max_steps: int | None) -> Self:
        """The counters of a run as it is gone on with.

        Every new plan left at least one failed step behind, which tells how many there were at most. What was skipped
        with an error was given up: no new plan was to be had.
        """
        planned = {step.id for step in run.plan.steps} if run.plan else set()
        replans = sum(step.status == "failed" and step.id not in planned for step in run.steps)
        if any(step.status == "skipped" and step.error for step in run.steps):
            replans = config.max_replans
        return cls(config, max_steps, sum(step.attempts for step in run.steps), replans)

    def check_steps(self, ids: Collection[str]) -> None:
        """Raises UnprocessableEntityError where a run may not have so many steps; `ids` are those of all its plans."""
        if len(ids) > self._max_steps:
            raise UnprocessableEntityError(
                f"steps: got {len(ids)}; a run may have {self._max_steps} (max_steps)", param="steps"
            )

    def take_call(self) -> None:
        """Raises UnprocessableEntityError where the run has sent all the calls that it may."""
        if self._calls >= self._config.max_calls:
            raise UnprocessableEntityError(f"the run has sent {self._calls} calls, all that it may (max_calls)")
        self._calls += 1

    def take_same(self, kind: str, name: str, arguments: dict[str, Any]) -> None:
        """Raises UnprocessableEntityError where as many steps have made this very call as may."""
        call = json.dumps([kind, name, arguments], sort_keys=True, default=repr).encode()
        digest = hashlib.blake2b(call, digest_size=16).digest()
        if self._same[digest] >= self._config.max_same_calls:
            raise UnprocessableEntityError(
                f"{kind} {name!r} was called {self._same[digest]} times with the same arguments, as often as a run may "
                "(max_same_calls)"
            )
        self._same[digest] += 1

    def take_retry(self) -> bool:
        """Take one of the run's retries; False where none is left."""
        if not self._retries_left:
            return False
        self._retries_left -= 1
        return True

    def take_replan(self) -> bool:
        """Take one of the run's new plans; False where none is left."""
        if not self._replans_left:
            return False
        self._replans_left -= 1
        return True
