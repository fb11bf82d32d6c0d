"""Declared tasks: fit, predict, evaluate."""

from autoglm.tasks.auto_task import AutoTask

__all__ = ["AutoTask"]
