"""Declared tasks: fit, predict, evaluate."""

from autoglm.tasks.auto_task import AutoTask
from autoglm.tasks.evaluation import Evaluation

__all__ = ["AutoTask", "Evaluation"]
