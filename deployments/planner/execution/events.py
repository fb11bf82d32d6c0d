"""A run's events, numbered as they happen."""

from __future__ import annotations

import logging
from typing import Any

from autoglm.contract.task_run import EventType, RunEvent
from autoglm.errors import APIStatusError
from deployments.planner.journal import Journal

logger = logging.getLogger("ray.serve")


class Events:
    """Tells the journal of one run's events, from the number after `seq` on.

    What cannot be told is lost, and the run goes on: whether it may is for the journal's other entries to say.
    """

    def __init__(self, journal: Journal, seq: int = 0) -> None:
        self._journal = journal
        self._seq = seq
        self._lost = 0

    async def tell(self, kind: EventType, **fields: Any) -> None:
        """One event with the fields of RunEvent that it bears."""
        self._seq += 1
        try:
            # Up to the journal's own first wait this runs in one piece, so that events arrive in their order.
            await self._journal.event(RunEvent(seq=self._seq, type=kind, **fields))
        except APIStatusError as error:
            if not self._lost:
                logger.warning("events of a run are lost: %s", error.message)
            self._lost += 1
