"""The tokens of a run, over all processes that held it."""

from __future__ import annotations

from autoglm.contract.task_run import TaskRun
from autoglm.contract.usage import Usage
from deployments.planner.capabilities import Capabilities


def used(before: TaskRun, capabilities: Capabilities) -> Usage:
    """What the run had taken `before` it came to these capabilities, and what they have taken since."""
    one, other = before.usage, capabilities.usage()
    if one is None:
        return other
    return Usage(
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        total_tokens=one.total_tokens + other.total_tokens,
    )
