"""Whether a task is itself to end, or only what it waited for was cancelled."""

from __future__ import annotations

import asyncio


def is_being_cancelled() -> bool:
    """Whether somebody cancelled the task that asks."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
