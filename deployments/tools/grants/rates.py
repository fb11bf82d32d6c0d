"""How often a grant may be used: the generic cell rate algorithm (ITU-T I.371), one number for each grant."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

MINUTE_S = 60.0
ROUNDING_S = 1e-6  # sums of a minute's parts are not quite a minute


class Rates:
    """A minute's calls may come at once; then they come back evenly, so that no minute has more than twice as many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: dict[str, float] = {}  # when the bucket of a grant would be full again

    def take(self, grant: str, calls_per_minute: int) -> float:
        """Count a call; 0, or the seconds until there is room for it, and then it is not counted."""
        now = self._clock()
        each_s = MINUTE_S / calls_per_minute
        due = max(self._due.get(grant, now), now)
        wait_s = due + each_s - now - MINUTE_S
        if wait_s > ROUNDING_S:
            return wait_s
        self._due[grant] = due + each_s
        return 0.0

    def keep(self, grants: Iterable[str]) -> None:
        """Forget all other grants: those that are gone."""
        left = set(grants)
        self._due = {grant: due for grant, due in self._due.items() if grant in left}
