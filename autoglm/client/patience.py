"""How long, and how often, is asked whether a run is over."""

from __future__ import annotations

from collections.abc import Callable

from autoglm.contract.task_run import ENDED, TaskRun
from autoglm.errors import APITimeoutError

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0


class Patience:
    """Pauses that double, from a tenth of a second to two, for at most `timeout_s`."""

    def __init__(self, timeout_s: float | None, now: Callable[[], float]) -> None:
        self._timeout_s = timeout_s
        self._now = now
        self._started = now()
        self._next_s = FIRST_PAUSE_S

    def pause_s(self, run: TaskRun) -> float | None:
        """Seconds until it is asked for again; None where it is over.

        Raises:
            APITimeoutError: the time is over, and the run is not.
        """
        if run.status in ENDED:
            return None
        pause, self._next_s = self._next_s, min(self._next_s * 2, LONGEST_PAUSE_S)
        if self._timeout_s is not None and self._now() + pause - self._started > self._timeout_s:
            raise APITimeoutError(
                f"{run.id}: still {run.status} after {self._timeout_s:g} s; wait longer, or cancel it"
            )
        return pause
