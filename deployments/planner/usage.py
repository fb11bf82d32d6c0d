"""The tokens of a run, over all processes that held it."""

from __future__ import annotations

from autoglm.contract.task_run import TaskRun
from autoglm.contract.usage import Usage
from deployments.planner.hands import Hands


def used(before: TaskRun, hands: Hands) -> Usage:
    """What the run had taken `before` it came to these hands, and what they have taken since."""
    one, other = before.usage, hands.usage()
    if one is None:
        return other
    return Usage(
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        total_tokens=one.total_tokens + other.total_tokens,
    )
